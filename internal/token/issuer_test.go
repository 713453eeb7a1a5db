package token

import "testing"

func TestValidIssuer(t *testing.T) {
	const pool = "eu-west-1_Pool1"
	for iss, want := range map[string]bool{
		"https://x.test/" + pool:             true,
		"https://x.test:8443/" + pool:        true,
		"https://x.test/issuers/" + pool:     true,
		"http://x.test/" + pool:              false,
		"HTTPS//x.test/" + pool:              false,
		"https:///" + pool:                   false,
		"https://:443/" + pool:               false,
		"https:x.test/" + pool:               false,
		"https://user@x.test/" + pool:        false,
		"https://user:secret@x.test/" + pool: false,
		"https://x.test/" + pool + "?":       false,
		"https://x.test/" + pool + "?a=b":    false,
		"https://x.test/?/" + pool:           false,
		"https://x.test/" + pool + "#":       false,
		"https://x.test/" + pool + "#a":      false,
		"https://x.test/#/" + pool:           false,
		"https://x.test/" + pool + "/":       false,
		"https://x.test/another" + pool:      false,
		"https://x.test/eu-west-1_Pool2":     false,
		"https://x.test/":                    false,
		"https://x.test/%zz/" + pool:         false,
		"https://" + pool:                    false,
		"":                                   false,
	} {
		if err := ValidIssuer(iss, pool); (err == nil) != want {
			t.Errorf("%q: %v", iss, err)
		}
	}
}

func TestIsRegion(t *testing.T) {
	for s, want := range map[string]bool{
		"eu-west-1": true, "us-gov-east-1": true, "ap-southeast-12": true, "mars-olympus-1": true,
		"": false, "eu": false, "eu-1": false, "e-west-1": false, "eu-west-": false,
		"eu--1": false, "eu-west-1a": false, "EU-west-1": false, "eu-west1-1": false,
		"-west-1": false, "eu-west-1\n": false, "eu-west-1.evil.test": false, "Frankfurt": false,
	} {
		if got := IsRegion(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestIsPoolID(t *testing.T) {
	for s, want := range map[string]bool{
		"eu-west-1_Pool1": true, "us-gov-east-1_a": true,
		"": false, "_": false, "eu-west-1": false, "eu-west-1_": false, "eu_Pool1": false,
		"_Pool1": false, "eu-west-1_Pool1\n": false, " eu-west-1_Pool1": false,
		"eu-west-1_a_b": false, "eu-west-1_a/b": false, "eu-west-1_../b": false,
		"eu-west-1_a?b": false, "eu-west-1_\u0430": false,
	} {
		if got := IsPoolID(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}
