/** Creates an IPAM pool and allocates from it, through the generated stubs alone. */

import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { AllocationService } from "./stubs/cadastre/allocation/v1/allocation_service_pb.js";
import { IpamPoolCidrState } from "./stubs/cadastre/allocation/v1/pool_cidr_pb.js";
import { AddressFamily } from "./stubs/cadastre/common/v1/types_pb.js";
import { ControlPlaneService } from "./stubs/cadastre/control/v1/control_service_pb.js";
import { IpamPoolState } from "./stubs/cadastre/control/v1/ipam_pool_pb.js";
import { callingAs } from "./token.js";

const ACCOUNT = "444455556666";
const REGION = "us-east-1";
const PATIENCE_MILLISECONDS = 60_000;

type ControlPlane = Client<typeof ControlPlaneService>;
type Ledger = Client<typeof AllocationService>;

async function work(controlPlane: ControlPlane, ledger: Ledger) {
  const { ipam } = await controlPlane.createIpam({});
  const { ipamPool } = await controlPlane.createIpamPool({
    ipamScopeId: ipam?.privateDefaultScopeId,
    addressFamily: AddressFamily.IPV4,
  });
  const ipamPoolId = ipamPool?.ipamPoolId ?? "";
  await eventually(async () => {
    const { ipamPools } = await controlPlane.describeIpamPools({ ipamPoolIds: [ipamPoolId] });
    return ipamPools[0]?.state === IpamPoolState.CREATE_COMPLETE;
  });
  await ledger.provisionIpamPoolCidr({ ipamPoolId, cidr: "10.0.0.0/8" });
  await eventually(async () => {
    const { ipamPoolCidrs } = await ledger.getIpamPoolCidrs({ ipamPoolId });
    return ipamPoolCidrs[0]?.state === IpamPoolCidrState.PROVISIONED;
  });
  const { ipamPoolAllocation } = await ledger.allocateIpamPoolCidr({ ipamPoolId, netmaskLength: 24 });
  const refusal = await refusalOf(ledger.allocateIpamPoolCidr({ ipamPoolId, netmaskLength: 7 }));
  return { ipam_pool_id: ipamPoolId, cidr: ipamPoolAllocation?.cidr, refusal };
}

/** Asks again until it is so, as clients of AWS poll a state. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MILLISECONDS;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error("it did not become so");
    await setTimeout(50);
  }
}

/** The message of the refusal that a call ends with. */
async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error).rawMessage;
  }
  return "";
}

const [controlPlaneAddress, ledgerAddress, secretFile] = process.argv.slice(2);
if (!controlPlaneAddress || !ledgerAddress || !secretFile) {
  throw new Error("usage: main.js CONTROL_PLANE_ADDRESS ALLOCATION_ADDRESS SECRET_FILE");
}
const caller = { account: ACCOUNT, region: REGION, principal: `arn:aws:iam::${ACCOUNT}:root`, service: "" };
const interceptors = [callingAs(caller, readFileSync(secretFile))];
const transportTo = (address: string) => createGrpcTransport({ baseUrl: `http://${address}`, interceptors });
const answer = await work(
  createClient(ControlPlaneService, transportTo(controlPlaneAddress)),
  createClient(AllocationService, transportTo(ledgerAddress)),
);
console.log(JSON.stringify(answer));
process.exit();
