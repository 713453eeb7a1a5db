package cognito

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/token"
)

// TestPartitions checks that the endpoint and the issuers of a pool are in the same domain. They
// once disagreed for eusc-*, where no token was accepted.
func TestPartitions(t *testing.T) {
	t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
	for region, domain := range map[string]string{
		"eu-west-1":       "amazonaws.com",
		"us-gov-west-1":   "amazonaws.com",
		"cn-north-1":      "amazonaws.com.cn",
		"eusc-de-east-1":  "amazonaws.eu",
		"us-iso-east-1":   "c2s.ic.gov",
		"us-isob-east-1":  "sc2s.sgov.gov",
		"eu-isoe-west-1":  "cloud.adc-e.uk",
		"us-isof-south-1": "csp.hci.ic.gov",
	} {
		pool := region + "_Pool1"
		app := issuerApp(t, amplify.AuthConfig{
			UserPoolID: pool, UserPoolClientID: "client", IdentityPoolID: region + ":1",
		})
		host := "cognito-idp." + region + "." + domain
		if got := app.Endpoints().UserPool; got != "https://"+host {
			t.Errorf("%s: endpoint %s", region, got)
		}
		if got := app.Endpoints().IdentityPool; got != "https://cognito-identity."+region+"."+domain {
			t.Errorf("%s: identity pool %s", region, got)
		}
		if got := token.Issuer(pool); got != app.Endpoints().UserPool+"/"+pool {
			t.Errorf("%s: issuer %s", region, got)
		}
		sets, err := issuers(app, newWork(slog.Default), pool, Options{ReplicaRegions: []string{region}})
		if err != nil {
			t.Fatal(err)
		}
		for _, prefix := range []string{"https://", "https://issuer-"} {
			iss := prefix + host + "/" + pool
			if set := sets[iss]; set == nil || set.url != iss+"/.well-known/jwks.json" {
				t.Errorf("%s: the keys of %s are fetched from %+v", region, iss, set)
			}
		}
		if len(sets) != 2 {
			t.Errorf("%s: %d issuers", region, len(sets))
		}
	}
}

func TestOtherIssuers(t *testing.T) {
	const pool = "mars-olympus-1_Pool1"
	const other = "https://cognito-idp.mars-olympus-1.aws.test/" + pool
	app := issuerApp(t, amplify.AuthConfig{UserPoolID: pool, UserPoolClientID: "client"})
	sets, err := issuers(app, newWork(slog.Default), pool, Options{Issuers: []string{other, other, token.Issuer(pool)}})
	if err != nil || len(sets) != 3 || sets[other] == nil || sets[other].optional {
		t.Errorf("got %v, %v", sets, err)
	}
	_, err = issuers(app, newWork(slog.Default), pool,
		Options{Issuers: []string{other, "https://user:secret@x.test/" + pool}})
	if err == nil || !strings.HasPrefix(err.Error(), "Options.Issuers[1] ") ||
		strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func issuerApp(t *testing.T, auth amplify.AuthConfig) *amplify.App {
	t.Helper()
	app, err := amplify.New(amplify.Config{Auth: &auth}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close(t.Context()) })
	return app
}
