// Package partition knows the domains of the AWS partitions. An address of a service and the
// issuer of a token both contain one, and both must come from the same table.
package partition

import "strings"

// suffixes holds the partitions whose domain is not amazonaws.com, by the prefix of their regions.
// Source: partitions.json of the AWS SDKs.
var suffixes = []struct{ prefix, suffix string }{
	{"cn-", "amazonaws.com.cn"},
	{"eusc-", "amazonaws.eu"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
	{"us-isof-", "csp.hci.ic.gov"},
}

// DNSSuffix returns the domain under which the services of a region have their addresses, such as
// "amazonaws.com". GovCloud (us-gov-*) and unknown regions have that of the commercial regions.
func DNSSuffix(region string) string {
	for _, s := range suffixes {
		if strings.HasPrefix(region, s.prefix) {
			return s.suffix
		}
	}
	return "amazonaws.com"
}
