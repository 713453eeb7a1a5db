package cognito

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/amplify-go/amplify"
)

// A user pool mints tokens under one of two issuers, and a replicated pool under one per region:
//
//	https://cognito-idp.<region>.amazonaws.com/<pool>         the original form; replicas use their own region
//	https://issuer-cognito-idp.<region>.amazonaws.com/<pool>  the updated form of 2026, for pools that were switched
//
// Each has a key set of its own at <issuer>/.well-known/jwks.json. What iss must say is fixed by the
// pool; where keys are fetched from can be set apart (amplify.Endpoints.UserPoolKeys), which is what lets the
// same code run against a local backend.

// issuer returns the original form of a pool's issuer.
func issuer(poolID string) string {
	region, _, _ := strings.Cut(poolID, "_")
	return host("cognito-idp", region) + "/" + poolID
}

// host returns the address of a service. Regions in China have a domain of their own.
func host(service, region string) string {
	domain := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return "https://" + service + "." + region + "." + domain
}

var regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

// issuers returns the key sets of all issuers that tokens of the pool may name, by issuer.
func issuers(app *amplify.App, w *work, poolID string, o Options) (map[string]*keySet, error) {
	region, _, _ := strings.Cut(poolID, "_")
	aws := host("cognito-idp", region)
	// A locator other than AWS's own serves the keys of all issuers.
	locator := app.Endpoints().UserPoolKeys
	if locator == aws {
		locator = ""
	}
	sets := map[string]*keySet{}
	add := func(host string, optional bool) *keySet {
		iss := host + "/" + poolID
		from := iss
		if locator != "" {
			from = strings.TrimSuffix(locator, "/") + "/" + poolID
		}
		sets[iss] = newKeySet(app, w, iss, from+"/.well-known/jwks.json", optional)
		return sets[iss]
	}
	original := add(aws, false)
	add(host("issuer-cognito-idp", region), true)
	for _, replica := range o.ReplicaRegions {
		if !regionName.MatchString(replica) {
			return nil, fmt.Errorf("Options.ReplicaRegions contains %q: write a region such as \"eu-central-1\"", replica)
		}
		if replica != region {
			add(host("cognito-idp", replica), false)
		}
	}
	if len(o.Keys) > 0 {
		keys, err := parseKeys(o.Keys)
		if err != nil {
			return nil, fmt.Errorf("Options.Keys: %w", err)
		}
		original.replace(keys)
	}
	return sets, nil
}
