package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/amplify-go/amplify/sandbox"
)

// TestSandboxSettings: each flag sets what it names, and nothing else.
func TestSandboxSettings(t *testing.T) {
	dir := t.TempDir()
	secret := write(t, dir, "secret", " hush-hush-0123456789\n")
	own := func(c sandbox.Client) sandbox.Config { return sandbox.Config{Clients: []sandbox.Client{c}} }
	for args, want := range map[string]sandbox.Config{
		"":                           own(sandbox.Client{}),
		"--auth-flows=A,B":           own(sandbox.Client{AuthFlows: []string{"A", "B"}}),
		"--scopes=openid,email":      own(sandbox.Client{Scopes: []string{"openid", "email"}}),
		"--reveal-user-existence":    own(sandbox.Client{RevealUserExistence: true}),
		"--client-secret-file=FILE":  own(sandbox.Client{Secret: "hush-hush-0123456789"}),
		"--client-secret-file=-":     own(sandbox.Client{Secret: "from-standard-input"}),
		"--access-token-validity=5m": own(sandbox.Client{AccessTokenValidity: 5 * time.Minute}),
		"--id-token-validity=5m":     own(sandbox.Client{IDTokenValidity: 5 * time.Minute}),
		"--refresh-token-validity=5m": own(
			sandbox.Client{RefreshTokenValidity: 5 * time.Minute}),
		"--rotate-refresh-tokens --rotation-grace=10s": own(
			sandbox.Client{RotateRefreshTokens: true, RotationGrace: 10 * time.Second}),
		"--server-side-token-check": {Clients: []sandbox.Client{{}}, ServerSideTokenCheck: true},
		"--alias-attributes=email,phone_number": {Clients: []sandbox.Client{{}},
			AliasAttributes: []string{"email", "phone_number"}},
		"--provider-identifiers=a.test=Google;b.test=Facebook": {Clients: []sandbox.Client{{}},
			ProviderIdentifiers: map[string]string{"a.test": "Google", "b.test": "Facebook"}},
		"--custom-scopes=photos/read,https://api.test/v1/read,photos/write": {Clients: []sandbox.Client{{}},
			ResourceServers: []sandbox.ResourceServer{
				{Identifier: "photos", Scopes: []string{"read", "write"}},
				{Identifier: "https://api.test/v1", Scopes: []string{"read"}}}},
		"--custom-scopes=photos/read,photos/write --machine-client=job --machine-secret-file=FILE": {
			ResourceServers: []sandbox.ResourceServer{{Identifier: "photos", Scopes: []string{"read", "write"}}},
			Clients: []sandbox.Client{{}, {ID: "job", Secret: "hush-hush-0123456789", ClientCredentials: true,
				Scopes: []string{"photos/read", "photos/write"}}}},
		"--custom-scopes=photos/read,photos/write --machine-client=job --machine-secret-file=FILE --machine-scopes=photos/read": {
			ResourceServers: []sandbox.ResourceServer{{Identifier: "photos", Scopes: []string{"read", "write"}}},
			Clients: []sandbox.Client{{}, {ID: "job", Secret: "hush-hush-0123456789", ClientCredentials: true,
				Scopes: []string{"photos/read"}}}},
	} {
		t.Run(args, func(t *testing.T) {
			var cl commandLine
			line := "sandbox --write-outputs=" + filepath.Join(dir, "outputs.json") + " " + strings.ReplaceAll(args, "FILE", secret)
			if _, err := kong.Must(&cl).Parse(strings.Fields(line)); err != nil {
				t.Fatal(err)
			}
			got, err := cl.Sandbox.config(strings.NewReader("from-standard-input\n"))
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(dir, "outputs.keys.json"); got.KeyFile != want {
				t.Errorf("the key file is %q, want %q", got.KeyFile, want)
			}
			got.KeyFile, got.Addr, got.AppOrigins = "", "", nil
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}
