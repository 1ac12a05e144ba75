package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// A caller whose token goes with every call, signed with the installation's key (HS256).
type caller struct {
	secret             []byte
	account, region    string
	principal, service string
}

func (c caller) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := c.token(time.Now())
	return map[string]string{"authorization": "Bearer " + token}, err
}

// The listeners are on loopback.
func (c caller) RequireTransportSecurity() bool { return false }

func (c caller) token(now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"aud":     "cadastre",
		"exp":     now.Add(15 * time.Minute).Unix(),
		"sub":     c.principal,
		"account": c.account,
		"region":  c.region,
		"service": c.service,
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(claims)
	mac := hmac.New(sha256.New, c.secret)
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil)), nil
}
