package token

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/internal/partition"
)

// A user pool issues tokens under one of two issuers, and a replicated pool under one per region:
//
//	https://cognito-idp.<region>.<domain>/<pool>         the first form; each replica has its own
//	https://issuer-cognito-idp.<region>.<domain>/<pool>  the form of 2026, where pools switched
//
// Each issuer has its own key set at <issuer>/.well-known/jwks.json. The pool determines which
// issuers its tokens may name.

// Issuer returns the original form of a pool's issuer.
func Issuer(poolID string) string { return issuerIn("cognito-idp", region(poolID), poolID) }

// SwitchedIssuer returns the issuer of a pool that has switched to the form of 2026.
func SwitchedIssuer(poolID string) string {
	return issuerIn("issuer-cognito-idp", region(poolID), poolID)
}

func issuerIn(service, region, poolID string) string {
	return "https://" + service + "." + region + "." + partition.DNSSuffix(region) + "/" + poolID
}

func region(poolID string) string {
	region, _, _ := strings.Cut(poolID, "_")
	return region
}

// Issuers returns all issuers that tokens of a pool may name, [Issuer] first: those that follow
// from its id, those of its replicas in other regions, and others. Errors name
// Options.ReplicaRegions and Options.Issuers, as packages cognito and verify call the two settings.
func Issuers(poolID string, replicaRegions, others []string) ([]string, error) {
	all := []string{Issuer(poolID), SwitchedIssuer(poolID)}
	for _, replica := range replicaRegions {
		if !IsRegion(replica) {
			return nil, fmt.Errorf("Options.ReplicaRegions contains %q: write a region such as "+
				"\"eu-central-1\"", replica)
		}
		all = append(all, issuerIn("cognito-idp", replica, poolID))
	}
	for i, iss := range others {
		if err := ValidIssuer(iss, poolID); err != nil {
			return nil, fmt.Errorf("Options.Issuers[%d] %w", i, err)
		}
		all = append(all, iss)
	}
	unique := all[:0]
	for _, iss := range all {
		if !slices.Contains(unique, iss) {
			unique = append(unique, iss)
		}
	}
	return unique, nil
}

// IsPoolID reports whether s has the form of a user pool's id: a region, "_", letters and digits.
func IsPoolID(s string) bool {
	region, name, _ := strings.Cut(s, "_")
	outside := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}
	return IsRegion(region) && name != "" && !strings.ContainsFunc(name, outside)
}

// IsRegion reports whether s has the form of a region's name, such as "us-gov-east-1": words, and a
// number. It does without package regexp, which a program at the edge would have to carry.
func IsRegion(s string) bool {
	words := strings.Split(s, "-")
	last := len(words) - 1
	if last < 2 || len(words[0]) < 2 {
		return false
	}
	for i, word := range words {
		least, greatest := 'a', 'z'
		if i == last {
			least, greatest = '0', '9'
		}
		outside := func(r rune) bool { return r < least || r > greatest }
		if word == "" || strings.ContainsFunc(word, outside) {
			return false
		}
	}
	return true
}

// ValidIssuer returns an error if iss cannot be an issuer of the pool: an https URL without user,
// query and fragment (OpenID Connect Discovery §3), whose path ends with the id of the pool. The
// error does not quote iss, which may hold a password.
func ValidIssuer(iss, poolID string) error {
	u, err := url.Parse(iss)
	switch {
	case err != nil:
		return errors.New("is not a URL")
	case u.Scheme != "https" || u.Hostname() == "":
		return errors.New("is not an https URL: tokens name an address such as " + Issuer(poolID))
	case u.User != nil || strings.ContainsAny(iss, "?#"):
		return errors.New("has a user, a query or a fragment: leave it out")
	case !strings.HasSuffix(u.EscapedPath(), "/"+poolID):
		return errors.New(`does not end with "/` + poolID + `", the id of the user pool`)
	}
	return nil
}
