// Creates an IPAM pool and allocates from it, through the generated stubs alone.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	allocation "cadastre/stubs/cadastre/allocation/v1"
	common "cadastre/stubs/cadastre/common/v1"
	control "cadastre/stubs/cadastre/control/v1"
)

const account, region = "123456789012", "us-east-1"

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: client CONTROL_PLANE_ADDRESS ALLOCATION_ADDRESS SECRET_FILE")
	}
	answer, err := run(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		log.Fatal(err)
	}
}

func run(controlPlane, ledger, secretFile string) (map[string]string, error) {
	secret, err := os.ReadFile(secretFile)
	if err != nil {
		return nil, err
	}
	me := caller{secret: secret, account: account, region: region, principal: "arn:aws:iam::" + account + ":root"}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(me),
	}
	toControlPlane, err := grpc.NewClient(controlPlane, options...)
	if err != nil {
		return nil, err
	}
	defer toControlPlane.Close()
	toLedger, err := grpc.NewClient(ledger, options...)
	if err != nil {
		return nil, err
	}
	defer toLedger.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return work(ctx, control.NewControlPlaneServiceClient(toControlPlane), allocation.NewAllocationServiceClient(toLedger))
}

func work(ctx context.Context, controlPlane control.ControlPlaneServiceClient, ledger allocation.AllocationServiceClient) (map[string]string, error) {
	made, err := controlPlane.CreateIpam(ctx, &control.CreateIpamRequest{})
	if err != nil {
		return nil, err
	}
	family := common.AddressFamily_ADDRESS_FAMILY_IPV4
	pool, err := controlPlane.CreateIpamPool(ctx, &control.CreateIpamPoolRequest{
		IpamScopeId:   made.Ipam.PrivateDefaultScopeId,
		AddressFamily: &family,
	})
	if err != nil {
		return nil, err
	}
	poolID := pool.IpamPool.IpamPoolId
	if err := poolIsComplete(ctx, controlPlane, *poolID); err != nil {
		return nil, err
	}
	block := "10.0.0.0/8"
	if _, err := ledger.ProvisionIpamPoolCidr(ctx, &allocation.ProvisionIpamPoolCidrRequest{IpamPoolId: poolID, Cidr: &block}); err != nil {
		return nil, err
	}
	if err := cidrIsProvisioned(ctx, ledger, *poolID); err != nil {
		return nil, err
	}
	length := int32(24)
	allocated, err := ledger.AllocateIpamPoolCidr(ctx, &allocation.AllocateIpamPoolCidrRequest{IpamPoolId: poolID, NetmaskLength: &length})
	if err != nil {
		return nil, err
	}
	tooLong := int32(7)
	_, refusal := ledger.AllocateIpamPoolCidr(ctx, &allocation.AllocateIpamPoolCidrRequest{IpamPoolId: poolID, NetmaskLength: &tooLong})
	return map[string]string{
		"ipam_pool_id": *poolID,
		"cidr":         allocated.IpamPoolAllocation.GetCidr(),
		"refusal":      reason(refusal),
	}, nil
}

func poolIsComplete(ctx context.Context, controlPlane control.ControlPlaneServiceClient, poolID string) error {
	return eventually(ctx, func() (bool, error) {
		pools, err := controlPlane.DescribeIpamPools(ctx, &control.DescribeIpamPoolsRequest{IpamPoolIds: []string{poolID}})
		if err != nil {
			return false, err
		}
		return pools.IpamPools[0].GetState() == control.IpamPoolState_IPAM_POOL_STATE_CREATE_COMPLETE, nil
	})
}

func cidrIsProvisioned(ctx context.Context, ledger allocation.AllocationServiceClient, poolID string) error {
	return eventually(ctx, func() (bool, error) {
		cidrs, err := ledger.GetIpamPoolCidrs(ctx, &allocation.GetIpamPoolCidrsRequest{IpamPoolId: &poolID})
		if err != nil || len(cidrs.IpamPoolCidrs) == 0 {
			return false, err
		}
		return cidrs.IpamPoolCidrs[0].GetState() == allocation.IpamPoolCidrState_IPAM_POOL_CIDR_STATE_PROVISIONED, nil
	})
}

// Asks again until it is so, as clients of AWS poll a state.
func eventually(ctx context.Context, isSo func() (bool, error)) error {
	for {
		done, err := isSo()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("it did not become so"), ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// The AWS error code that a refusal carries.
func reason(refusal error) string {
	for _, detail := range status.Convert(refusal).Details() {
		if told, ok := detail.(*errdetails.ErrorInfo); ok {
			return told.Reason
		}
	}
	return fmt.Sprint(refusal)
}
