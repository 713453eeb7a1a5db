package e2e

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox"
)

// backend is a sandbox in this process: the user pool and managed login behind everything else.
type backend struct {
	*sandbox.Sandbox
}

// startBackend starts a sandbox that ends with the test.
func startBackend(t testing.TB, config sandbox.Config) *backend {
	t.Helper()
	config.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := sandbox.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("closing the sandbox: %v", err)
		}
	})
	return &backend{s}
}

// stopped returns a clock that stands still, so that a lock-out of a second lasts.
func stopped() func() time.Time {
	now := time.Now()
	return func() time.Time { return now }
}

// outputs are the parts of amplify_outputs.json that the tests look at themselves.
type outputs struct {
	Auth struct {
		Region         string `json:"aws_region"`
		UserPoolID     string `json:"user_pool_id"`
		ClientID       string `json:"user_pool_client_id"`
		IdentityPoolID string `json:"identity_pool_id"`
		OAuth          struct {
			Domain string `json:"domain"`
		} `json:"oauth"`
	} `json:"auth"`
	Custom struct {
		AmplifyGo struct {
			Endpoints struct {
				UserPool string `json:"user_pool"`
			} `json:"endpoints"`
		} `json:"amplify_go"`
	} `json:"custom"`
}

func (b *backend) outputs(t testing.TB) outputs {
	t.Helper()
	return parseOutputs(t, b.Outputs())
}

func parseOutputs(t testing.TB, text []byte) outputs {
	t.Helper()
	var o outputs
	if err := json.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// resourcesConfig is the ResourcesConfig literal of Amplify JS that names the sandbox as the user
// pool's endpoint.
func (b *backend) resourcesConfig(t testing.TB) any {
	t.Helper()
	o := b.outputs(t)
	return map[string]any{"Auth": map[string]any{"Cognito": map[string]any{
		"userPoolId":       o.Auth.UserPoolID,
		"userPoolClientId": o.Auth.ClientID,
		"userPoolEndpoint": o.Custom.AmplifyGo.Endpoints.UserPool,
	}}}
}

// code returns the code that a user was sent last.
func (b *backend) code(t testing.TB, username string) string {
	t.Helper()
	code, err := b.LastCode(t.Context(), username)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// addUser adds a confirmed user, whose password is [password].
func (b *backend) addUser(t testing.TB, u sandbox.User) {
	t.Helper()
	if u.Password == "" {
		u.Password = password
	}
	if err := b.AddUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
}

// Two passwords that every user pool of the tests accepts.
const (
	password    = "Correct-horse-1"
	newPassword = "Battery-staple-2"
)

// nodeEnvironment is the environment in which Node.js finds the sandbox under the names of AWS's
// hosts.
func (b *backend) nodeEnvironment(t testing.TB) []string {
	t.Helper()
	environment, err := b.WriteNodeSupport(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return environment
}

// browser returns a browser of its own that finds the sandbox under the names of AWS's hosts.
func (b *backend) browser(t testing.TB) *chromium {
	t.Helper()
	address := strings.TrimPrefix(b.TLSURL(), "https://")
	c := &chromium{trusted: publicKeySum(t, address)}
	for _, host := range b.AWSHosts() {
		c.hosts = append(c.hosts, "MAP "+host+" "+address)
	}
	t.Cleanup(c.close)
	return c
}

// publicKeySum returns what Chromium knows a TLS server's key by.
func publicKeySum(t testing.TB, address string) string {
	t.Helper()
	// The connection serves only to see the certificate.
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	connection, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	certificate := connection.(*tls.Conn).ConnectionState().PeerCertificates[0]
	sum := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// managedLogin signs in on the page of managed login that the tab has come to.
func (b *tab) managedLogin(email, password string) {
	b.t.Helper()
	b.fill("Email address", email)
	b.fill("Password", password)
	b.click("Sign in")
}
