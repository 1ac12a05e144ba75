import { createHmac } from "node:crypto";

import type { Interceptor } from "@connectrpc/connect";

/** Who calls, as a token of the installation says it. */
export interface Caller {
  account: string;
  region: string;
  principal: string;
  service: string;
}

const LIFETIME_SECONDS = 15 * 60;

/** Puts a token of the caller on every call, signed with the installation's key (HS256). */
export function callingAs(caller: Caller, secret: Buffer): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token(caller, secret)}`);
    return next(request);
  };
}

function token(caller: Caller, secret: Buffer): string {
  const claims = {
    aud: "cadastre",
    exp: Math.floor(Date.now() / 1000) + LIFETIME_SECONDS,
    sub: caller.principal,
    account: caller.account,
    region: caller.region,
    service: caller.service,
  };
  const signed = [{ alg: "HS256", typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
