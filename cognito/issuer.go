package cognito

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/partition"
)

// A user pool issues tokens under one of two issuers, and a replicated pool under one per region:
//
//	https://cognito-idp.<region>.<domain>/<pool>         the original form; each replica has its own
//	https://issuer-cognito-idp.<region>.<domain>/<pool>  the form of 2026, for pools that switched
//
// Each issuer has its own key set at <issuer>/.well-known/jwks.json. The pool determines which
// issuers its tokens may name. The address that keys are fetched from is a separate setting
// (amplify.Endpoints.UserPoolKeys), so that the same code works with a local backend.

// issuer returns the original form of a pool's issuer.
func issuer(poolID string) string {
	region, _, _ := strings.Cut(poolID, "_")
	return host("cognito-idp", region) + "/" + poolID
}

// host returns the address of a service in a region, in the domain of the region's partition.
func host(service, region string) string {
	return "https://" + service + "." + region + "." + partition.DNSSuffix(region)
}

var regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

// issuers returns the key sets of all issuers that tokens of the pool may name, by issuer. others
// are issuers that the pool has besides those that follow from its id and o.ReplicaRegions.
func issuers(
	app *amplify.App, w *work, poolID string, o Options, others ...string,
) (map[string]*keySet, error) {
	region, _, _ := strings.Cut(poolID, "_")
	aws := host("cognito-idp", region)
	// A locator other than AWS's own serves the keys of all issuers.
	locator := app.Endpoints().UserPoolKeys
	if locator == aws {
		locator = ""
	}
	sets := map[string]*keySet{}
	addIssuer := func(iss string, optional bool) {
		if sets[iss] != nil {
			return
		}
		from := iss
		if locator != "" {
			from = strings.TrimSuffix(locator, "/") + "/" + poolID
		}
		sets[iss] = newKeySet(app, w, iss, from+"/.well-known/jwks.json", optional)
	}
	addIssuer(issuer(poolID), false)
	addIssuer(host("issuer-cognito-idp", region)+"/"+poolID, true)
	for _, replica := range o.ReplicaRegions {
		if !regionName.MatchString(replica) {
			return nil, fmt.Errorf("Options.ReplicaRegions contains %q: write a region such as "+
				"\"eu-central-1\"", replica)
		}
		addIssuer(host("cognito-idp", replica)+"/"+poolID, false)
	}
	for i, iss := range others {
		if err := validIssuer(iss, poolID); err != nil {
			return nil, fmt.Errorf("Options.Issuers[%d] %w", i, err)
		}
		addIssuer(iss, false)
	}
	if len(o.Keys) > 0 {
		keys, err := parseKeys(o.Keys)
		if err != nil {
			return nil, fmt.Errorf("Options.Keys: %w", err)
		}
		sets[issuer(poolID)].replace(keys)
	}
	return sets, nil
}

// validIssuer returns an error if iss cannot be an issuer of the pool: an https URL without user,
// query and fragment (OpenID Connect Discovery §3), whose path ends with the id of the pool. The
// error does not quote iss, which may hold a password.
func validIssuer(iss, poolID string) error {
	u, err := url.Parse(iss)
	switch {
	case err != nil:
		return errors.New("is not a URL")
	case u.Scheme != "https" || u.Hostname() == "":
		return errors.New("is not an https URL: tokens name an address such as " + issuer(poolID))
	case u.User != nil || strings.ContainsAny(iss, "?#"):
		return errors.New("has a user, a query or a fragment: leave it out")
	case !strings.HasSuffix(u.EscapedPath(), "/"+poolID):
		return errors.New(`does not end with "/` + poolID + `", the id of the user pool`)
	}
	return nil
}
