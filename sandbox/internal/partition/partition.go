// Package partition tells which AWS partition a region belongs to, and so under which domain its
// services are found and how its ARNs begin.
package partition

import "strings"

// Partition is a group of AWS regions with accounts and a domain of its own.
type Partition struct {
	// ID is the second part of an ARN, such as "aws-cn".
	ID string
	// DNSSuffix is the domain of the services, such as "amazonaws.com.cn".
	DNSSuffix string
	// prefix is what the names of the partition's regions begin with.
	prefix string
}

// partitions are all partitions but "aws", which holds the other regions. The source is AWS's
// partitions.json (github.com/aws/aws-sdk-go-v2, internal/endpoints/awsrulesfn).
var partitions = []Partition{
	{"aws-cn", "amazonaws.com.cn", "cn-"},
	{"aws-us-gov", "amazonaws.com", "us-gov-"},
	{"aws-eusc", "amazonaws.eu", "eusc-"},
	{"aws-iso", "c2s.ic.gov", "us-iso-"},
	{"aws-iso-b", "sc2s.sgov.gov", "us-isob-"},
	{"aws-iso-e", "cloud.adc-e.uk", "eu-isoe-"},
	{"aws-iso-f", "csp.hci.ic.gov", "us-isof-"},
}

// Of returns the partition of a region. A region that no other partition claims belongs to "aws".
func Of(region string) Partition {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.prefix) {
			return p
		}
	}
	return Partition{ID: "aws", DNSSuffix: "amazonaws.com"}
}

// Host returns the host name of an AWS service in a region, such as
// "cognito-idp.us-east-1.amazonaws.com".
func Host(service, region string) string {
	return service + "." + region + "." + Of(region).DNSSuffix
}
