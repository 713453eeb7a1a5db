package partition_test

import (
	"testing"

	"github.com/amplify-go/amplify/internal/partition"
)

func TestDNSSuffix(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1":        "amazonaws.com",
		"us-gov-west-1":    "amazonaws.com",
		"cn-north-1":       "amazonaws.com.cn",
		"cn-northwest-1":   "amazonaws.com.cn",
		"eusc-de-east-1":   "amazonaws.eu",
		"us-iso-east-1":    "c2s.ic.gov",
		"us-isob-east-1":   "sc2s.sgov.gov",
		"eu-isoe-west-1":   "cloud.adc-e.uk",
		"us-isof-south-1":  "csp.hci.ic.gov",
		"mars-olympus-1":   "amazonaws.com",
		"us-isolated-9":    "amazonaws.com",
		"":                 "amazonaws.com",
		"not-cn-a-region-": "amazonaws.com",
	} {
		if got := partition.DNSSuffix(region); got != want {
			t.Errorf("%s: got %s, want %s", region, got, want)
		}
	}
}
