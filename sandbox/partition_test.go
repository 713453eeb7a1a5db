package sandbox_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox"
)

// TestPartitions starts sandboxes of regions in other AWS partitions than the usual one.
func TestPartitions(t *testing.T) {
	for region, want := range map[string]struct{ suffix, arn string }{
		"eusc-de-east-1": {"amazonaws.eu", "arn:aws-eusc:iam::"},
		"cn-north-1":     {"amazonaws.com.cn", "arn:aws-cn:iam::"},
		"us-gov-west-1":  {"amazonaws.com", "arn:aws-us-gov:iam::"},
	} {
		s := start(t, sandbox.Config{
			Outputs: []byte(strings.ReplaceAll(given, "eu-central-1", region)),
			Users:   []sandbox.User{{Username: "ann", Email: email, Password: "12345678901a", Groups: []string{"Admins"}}},
		})
		for _, host := range []string{
			"cognito-idp." + region + "." + want.suffix,
			"issuer-cognito-idp." + region + "." + want.suffix,
			"cognito-identity." + region + "." + want.suffix,
		} {
			if !slices.Contains(s.AWSHosts(), host) {
				t.Errorf("%s: hosts %v lack %s", region, s.AWSHosts(), host)
			}
		}
		_, body := call(t, "GET", s.URL()+"/"+region+"_AbCdEfGhI/.well-known/openid-configuration", "", nil)
		var configuration struct{ Issuer string }
		if err := json.Unmarshal([]byte(body), &configuration); err != nil {
			t.Fatal(err)
		}
		if want := "https://cognito-idp." + region + "." + want.suffix + "/" + region + "_AbCdEfGhI"; configuration.Issuer != want {
			t.Errorf("%s: issuer %s, want %s", region, configuration.Issuer, want)
		}
		if _, page := call(t, "GET", s.URL()+"/console/groups", "", nil); !strings.Contains(page, want.arn) {
			t.Errorf("%s: no role begins with %s", region, want.arn)
		}
	}
}
