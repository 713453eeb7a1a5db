package sandbox_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
)

// call makes one raw call and returns the answer with its body.
func call(t testing.TB, method, url, body string, header map[string]string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		if name == "Host" {
			req.Host = value
		} else {
			req.Header.Set(name, value)
		}
	}
	return do(t, http.DefaultTransport, req)
}

func do(t testing.TB, transport http.RoundTripper, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(answer)
}

const target = "AWSCognitoIdentityProviderService."

func TestProtocol(t *testing.T) {
	s := start(t, sandbox.Config{})
	for _, c := range []struct {
		what, target, body string
		header             map[string]string
		status             int
		exception          string
	}{
		{"unknown operation", target + "AdminListDevices", "{}", nil, 400, "UnknownOperationException"},
		{"another service", "DynamoDB_20120810.ListTables", "{}", nil, 400, "UnknownOperationException"},
		{"no operation", "", "{}", nil, 400, "UnknownOperationException"},
		{"operation of the internals", target + "table", "{}", nil, 400, "UnknownOperationException"},
		{"not JSON", target + "GetUser", "{", nil, 400, "SerializationException"},
		{"wrong type", target + "GetUser", `{"AccessToken": 1}`, nil, 400, "SerializationException"},
		{"no body", target + "GetUser", "", nil, 400, "SerializationException"},
		{"too large", target + "GetUser", `{"AccessToken": "` + strings.Repeat("x", 200_000) + `"}`, nil, 413, "RequestEntityTooLargeException"},
		{"bad token", target + "GetUser", `{"AccessToken": "x"}`, nil, 400, "NotAuthorizedException"},
		{"administrator unsigned", target + "ListUsers", `{}`, nil, 400, "MissingAuthenticationTokenException"},
		{"administrator with a bearer token", target + "ListUsers", `{}`, map[string]string{"Authorization": "Bearer x"}, 400, "MissingAuthenticationTokenException"},
	} {
		header := map[string]string{"X-Amz-Target": c.target, "Content-Type": "application/x-amz-json-1.1"}
		for name, value := range c.header {
			header[name] = value
		}
		res, body := call(t, "POST", s.URL(), c.body, header)
		var answer struct {
			Type    string `json:"__type"`
			Message string
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Errorf("%s: %v in %s", c.what, err, body)
		}
		h := res.Header
		if res.StatusCode != c.status || answer.Type != c.exception || answer.Message == "" || h.Get("X-Amzn-Errortype") != c.exception+":" {
			t.Errorf("%s: %d %v %s, want %d %s", c.what, res.StatusCode, h, body, c.status, c.exception)
		}
		if _, err := http.ParseTime(h.Get("Date")); err != nil || len(h.Get("X-Amzn-Requestid")) != 36 || h.Get("Content-Type") != "application/x-amz-json-1.1" {
			t.Errorf("%s: headers %v", c.what, h)
		}
	}
	if got := s.Calls()["UnknownOperation"]; got != 4 {
		t.Errorf("%d unknown operations counted, want 4", got)
	}
	_, page := call(t, "GET", s.URL()+"/console/calls", "", nil)
	for _, name := range []string{"AdminListDevices", "ListTables", "UnknownOperation", "table"} {
		if !strings.Contains(page, "<code>"+name+`</code> <span class="muted">not in the sandbox</span>`) {
			t.Errorf("the console does not name the unknown operation %s", name)
		}
	}
}

// TestUnknownAddresses: browsers get a page with a way back, programs the plain answer.
func TestUnknownAddresses(t *testing.T) {
	s := start(t, sandbox.Config{})
	domain := outputsOf(t, s).Auth.OAuth.Domain
	const link = `href="/console"`
	html := map[string]string{"Accept": "text/html,*/*"}
	for _, c := range []struct {
		what, method, path string
		header             map[string]string
		status             int
		page               string // a link of it; "" for no page
	}{
		{"a browser", "GET", "/nothing", html, 404, link},
		{"a browser at the domain", "GET", "/nothing",
			map[string]string{"Accept": "text/html", "Host": domain},
			404, `href="` + s.URL() + `/console"`},
		{"a browser in the console", "GET", "/console/nothing", html, 404, link},
		{"a browser at a form's address", "GET", "/resendcode", html, 404, link},
		{"a program", "GET", "/nothing", map[string]string{"Accept": "application/json"}, 404, ""},
		{"a form", "POST", "/nothing", html, 404, ""},
		{"the wrong method", "GET", "/oauth2/token", nil, 405, ""},
	} {
		res, body := call(t, c.method, s.URL()+c.path, "", c.header)
		isPage := strings.HasPrefix(res.Header.Get("Content-Type"), "text/html")
		if res.StatusCode != c.status || isPage != (c.page != "") ||
			!strings.Contains(body, c.page) {
			t.Errorf("%s: %s %s\n%s", c.what, res.Status, res.Header.Get("Content-Type"), body)
		}
	}
}

// TestCORS: pages of all origins may use what Cognito lets them use, and administrators' operations
// are not that.
func TestCORS(t *testing.T) {
	s := start(t, sandbox.Config{})
	origin := map[string]string{"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST",
		"Access-Control-Request-Headers": "content-type, x-amz-target,AUTHORIZATION,x-amz-user-agent"}
	res, _ := call(t, "OPTIONS", s.URL()+"/", "", origin)
	if res.StatusCode != http.StatusOK || res.Header.Get("Access-Control-Allow-Origin") != "*" ||
		res.Header.Get("Access-Control-Allow-Headers") != "content-type,x-amz-target,x-amz-user-agent" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("preflight: %d %v", res.StatusCode, res.Header)
	}
	res, _ = call(t, "POST", s.URL(), "{}", map[string]string{"Origin": "https://elsewhere.example", "X-Amz-Target": target + "GetUser"})
	exposed := strings.ToLower(res.Header.Get("Access-Control-Expose-Headers"))
	if res.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(exposed, "x-amzn-errortype") || !strings.Contains(exposed, "date") {
		t.Errorf("call: %v", res.Header)
	}
	for _, path := range []string{"/console", "/inbox"} {
		if res, _ = call(t, "GET", s.URL()+path, "", origin); res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may be read by other origins", path)
		}
	}
}

// TestHost: a name that an attacker lets point to this machine is refused.
func TestHost(t *testing.T) {
	s := start(t, sandbox.Config{})
	o := outputsOf(t, s)
	keys := s.URL() + "/" + o.Auth.PoolID + "/.well-known/jwks.json"
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:1": 200, "app.localhost:80": 200, "127.0.0.1": 200, "127.1.2.3:9": 200, "[::1]:80": 200,
		"cognito-idp.us-east-1.amazonaws.com": 200, "issuer-cognito-idp.us-east-1.amazonaws.com:443": 200,
		"cognito-identity.us-east-1.amazonaws.com": 200, o.Auth.OAuth.Domain: 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "192.168.0.1": 421, "evil-localhost": 421,
		"cognito-idp.eu-west-1.amazonaws.com": 421, "0.0.0.0": 421,
	} {
		if res, _ := call(t, "GET", keys, "", map[string]string{"Host": host}); res.StatusCode != want {
			t.Errorf("Host %s: %d, want %d", host, res.StatusCode, want)
		}
	}
}

func TestWellKnown(t *testing.T) {
	s := start(t, sandbox.Config{})
	o := outputsOf(t, s)
	res, body := call(t, "GET", s.URL()+"/"+o.Auth.PoolID+"/.well-known/openid-configuration", "", nil)
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	issuer, login := "https://cognito-idp.us-east-1.amazonaws.com/"+o.Auth.PoolID, "https://"+o.Auth.OAuth.Domain
	want := map[string]any{
		"issuer": issuer, "jwks_uri": issuer + "/.well-known/jwks.json",
		"authorization_endpoint": login + "/oauth2/authorize", "token_endpoint": login + "/oauth2/token",
		"revocation_endpoint": login + "/oauth2/revoke", "userinfo_endpoint": login + "/oauth2/userInfo", "end_session_endpoint": login + "/logout",
		"id_token_signing_alg_values_supported": []any{"RS256"}, "response_types_supported": []any{"code", "token"},
		"scopes_supported": []any{"openid", "email", "phone", "profile"}, "subject_types_supported": []any{"public"},
		"token_endpoint_auth_methods_supported": []any{"client_secret_basic", "client_secret_post"},
	}
	if diff := cmp.Diff(want, got); diff != "" || res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v (-want +got):\n%s", res.Header, diff)
	}
	if res, _ := call(t, "GET", s.URL()+"/us-east-1_Other/.well-known/jwks.json", "", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("keys of another pool: %d", res.StatusCode)
	}
}

// TestTLS: the same is served under AWS's names, by certificates of an authority that is good for
// those names alone.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	s := start(t, sandbox.Config{TLSAddr: "localhost:0", DataDir: dir})
	o, ca := outputsOf(t, s), s.CACertificate()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no certificate")
	}
	address := strings.TrimPrefix(s.TLSURL(), "https://")
	for _, host := range append(s.AWSHosts(), "localhost", "127.0.0.1") {
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: host}}
		transport := &http.Transport{DialTLSContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/"+o.Auth.PoolID+"/.well-known/jwks.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		want := http.StatusOK
		if strings.HasPrefix(host, "s3.") || strings.Contains(host, ".s3") { // nobody has signed this
			want = http.StatusForbidden
		}
		if res, _ := do(t, transport, req); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", host, res.StatusCode, want)
		}
		transport.CloseIdleConnections()
	}
	if len(s.AWSHosts()) != 8 {
		t.Errorf("hosts = %v", s.AWSHosts())
	}

	// A kept directory keeps the authority.
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s = start(t, sandbox.Config{TLSAddr: "127.0.0.1:0", DataDir: dir}); string(s.CACertificate()) != string(ca) {
		t.Error("the authority changed with a restart")
	}
	if start(t, sandbox.Config{}).CACertificate() != nil {
		t.Error("an authority without TLS")
	}
}

// TestClock: the sandbox lives by the clock that it is given.
func TestClock(t *testing.T) {
	now := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	s := start(t, sandbox.Config{Clock: func() time.Time { return now }})
	res, _ := call(t, "POST", s.URL(), "{}", nil)
	if got := res.Header.Get("Date"); got != now.Format(http.TimeFormat) {
		t.Errorf("Date = %s", got)
	}
}
