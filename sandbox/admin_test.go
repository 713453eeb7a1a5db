package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
)

func (b *backend) mustAdd(t *testing.T, f faults.Fault) {
	t.Helper()
	if _, err := b.Faults().Add(f); err != nil {
		t.Fatal(err)
	}
}

func (b *backend) refresh(t *testing.T, token *string) (*string, error) {
	t.Helper()
	out, err := b.users.GetTokensFromRefreshToken(t.Context(), &cognito.GetTokensFromRefreshTokenInput{
		ClientId: &b.Auth.ClientID, RefreshToken: token})
	if err != nil {
		return nil, err
	}
	return out.AuthenticationResult.RefreshToken, nil
}

// do makes a request by hand and returns its status and body. Headers come in pairs.
func (b *backend) do(t *testing.T, method, path, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// Whether a lost refresh was lost before or after its effect decides whether the session survives.
func TestDroppedConnections(t *testing.T) {
	rotating := func(c *sandbox.Config) { c.Clients = []sandbox.Client{{RotateRefreshTokens: true}} }
	t.Run("before the effect", func(t *testing.T) {
		b := startBackend(t, rotating)
		token := b.signIn(t, "ann@example.com").RefreshToken
		b.mustAdd(t, faults.Fault{Operation: "GetTokensFromRefreshToken", Outcome: faults.Drop, Count: 1})
		if _, err := b.refresh(t, token); err == nil || codeOf(err) != "" {
			t.Errorf("got %v, want a broken connection", err)
		}
		if _, err := b.refresh(t, token); err != nil {
			t.Errorf("the refresh token was used up: %v", err)
		}
	})
	t.Run("after the effect", func(t *testing.T) {
		b := startBackend(t, rotating)
		token := b.signIn(t, "ann@example.com").RefreshToken
		b.mustAdd(t, faults.Fault{Operation: "GetTokensFromRefreshToken", Outcome: faults.DropAfter, Count: 1})
		if _, err := b.refresh(t, token); err == nil || codeOf(err) != "" {
			t.Errorf("got %v, want a broken connection", err)
		}
		if _, err := b.refresh(t, token); codeOf(err) != "RefreshTokenReuseException" {
			t.Errorf("the refresh token was not used up: %v", err)
		}
	})
}

// The SDK takes each fault for what it stands for.
func TestFaultsBySDK(t *testing.T) {
	b := startBackend(t, nil)
	getID := func() error {
		_, err := b.identities.GetId(t.Context(), &cognitoidentity.GetIdInput{IdentityPoolId: &b.Auth.IdentityPoolID})
		return err
	}
	for outcome, code := range map[faults.Outcome]string{
		faults.Throttle: "TooManyRequestsException", faults.JSON500: "InternalErrorException",
	} {
		b.mustAdd(t, faults.Fault{Operation: "GetId", Outcome: outcome, Count: 1})
		err := getID()
		if codeOf(err) != code {
			t.Errorf("%s: %v", outcome, err)
		}
		if again := retry.NewStandard().IsErrorRetryable(err); !again {
			t.Errorf("%s: the SDK would not try again: %v", outcome, err)
		}
	}
	for _, outcome := range []faults.Outcome{faults.Plain429, faults.HTML503, faults.Drop, faults.DropAfter} {
		b.mustAdd(t, faults.Fault{Operation: "GetId", Outcome: outcome, Count: 1})
		if err := getID(); err == nil {
			t.Errorf("%s: no error", outcome)
		}
	}
	if err := getID(); err != nil {
		t.Errorf("with all faults spent: %v", err)
	}
}

// s3Requests are the requests for the operations of S3.
var s3Requests = map[string]string{
	"ListBuckets": "GET /?x-id=ListBuckets", "CreateBucket": "PUT /b", "DeleteBucket": "DELETE /b", "HeadBucket": "HEAD /b",
	"GetBucketLocation": "GET /b?location", "ListObjects": "GET /b?prefix=a", "ListObjectsV2": "GET /b/?list-type=2",
	"ListMultipartUploads": "GET /b?uploads", "GetObject": "GET /b/c", "HeadObject": "HEAD /b/c", "PutObject": "PUT /b/c",
	"GetObjectAttributes": "GET /b/c?attributes",
	"GetObjectTagging":    "GET /b/c?tagging", "PutObjectTagging": "PUT /b/c?tagging",
	"DeleteObjectTagging": "DELETE /b/c?tagging", "CopyObject": "PUT /b/c", "DeleteObject": "DELETE /b/c", "DeleteObjects": "POST /b?delete", "CreateMultipartUpload": "POST /b/c?uploads",
	"UploadPart": "PUT /b/c?uploadId=x&partNumber=1", "UploadPartCopy": "PUT /b/c?uploadId=x&partNumber=1",
	"CompleteMultipartUpload": "POST /b/c?uploadId=x", "AbortMultipartUpload": "DELETE /b/c?uploadId=x", "ListParts": "GET /b/c?uploadId=x",
}

// Every operation that a fault can name is the name of a call.
func TestEveryOperationCanBeStruck(t *testing.T) {
	b := startBackend(t, nil)
	for _, operation := range b.Faults().Operations() {
		b.Faults().Clear()
		b.mustAdd(t, faults.Fault{Operation: operation, Outcome: faults.Plain429})
		method, path, header := http.MethodGet, operation, []string{}
		switch s3 := s3Requests[operation]; {
		case s3 != "":
			method, path, _ = strings.Cut(s3, " ")
			header = []string{"Authorization", "AWS4-HMAC-SHA256 "}
			if strings.Contains(operation, "Copy") {
				header = append(header, "X-Amz-Copy-Source", "b/c")
			}
		case operation == "/oauth2/token", operation == "/oauth2/revoke":
			method = http.MethodPost
		case operation == "jwks.json":
			path = "/" + b.Auth.PoolID + "/.well-known/jwks.json"
		case strings.HasPrefix(operation, "/"):
		default:
			method, path = http.MethodPost, "/"
			header = []string{"X-Amz-Target", "AWSCognitoIdentityProviderService." + operation}
			ofIdentities := strings.Contains(operation, "Identit")
			if ofIdentities || operation == "GetId" || operation == "GetOpenIdToken" {
				header[1] = identityTarget + operation
			}
		}
		if status, _ := b.do(t, method, path, "{}", header...); status != http.StatusTooManyRequests {
			t.Errorf("%s: status %d", operation, status)
		}
		if b.Calls()[operation] != 1 {
			t.Errorf("%s: counted %d times", operation, b.Calls()[operation])
		}
	}
}

func TestKeySetOutageAndRotation(t *testing.T) {
	b := startBackend(t, nil)
	path := "/" + b.Auth.PoolID + "/.well-known/jwks.json"
	b.mustAdd(t, faults.Fault{Operation: "jwks.json", Outcome: faults.HTML503})
	if status, _ := b.do(t, "GET", path, ""); status != 503 {
		t.Errorf("status %d during the outage", status)
	}
	b.signIn(t, "ann@example.com") // all else works
	b.Faults().Clear()
	kids := func() map[string]bool {
		_, text := b.do(t, "GET", path, "")
		var set struct{ Keys []struct{ Kid string } }
		if err := json.Unmarshal([]byte(text), &set); err != nil {
			t.Fatal(err)
		}
		m := map[string]bool{}
		for _, k := range set.Keys {
			m[k.Kid] = true
		}
		return m
	}
	before := kids()
	if status, body := b.do(t, "POST", "/admin/keys/rotate", ""); status != 204 {
		t.Errorf("rotation: %d %s", status, body)
	}
	token, _, err := jwt.NewParser().ParseUnverified(*b.signIn(t, "ann@example.com").IdToken, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	if kid, _ := token.Header["kid"].(string); before[kid] || !kids()[kid] {
		t.Error("a token after the rotation is not signed by a new key of the set")
	}
}

func TestWrongClock(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b := startBackend(t, func(c *sandbox.Config) { c.Clock = func() time.Time { return now } })
	for _, offset := range []time.Duration{0, -10 * time.Minute, time.Hour} {
		b.SetClockOffset(offset)
		resp, err := http.Get(b.URL() + "/admin/clock")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got, want := resp.Header.Get("Date"), now.Add(offset).Format(http.TimeFormat); got != want {
			t.Errorf("offset %v: Date %q, want %q", offset, got, want)
		}
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(*b.signIn(t, "ann@example.com").IdToken, claims); err != nil {
			t.Fatal(err)
		}
		if iat, _ := claims.GetIssuedAt(); !iat.Equal(now.Add(offset)) {
			t.Errorf("offset %v: iat %v", offset, iat)
		}
	}
	if status, body := b.do(t, "PUT", "/admin/clock", `{"offset":"-1m30s"}`, "Content-Type", "application/json"); status != 200 || !strings.Contains(body, `"offset":"-1m30s"`) {
		t.Errorf("PUT /admin/clock: %d %s", status, body)
	}
}

func TestAdminFaults(t *testing.T) {
	b := startBackend(t, nil)
	const path = "/admin/faults"
	add := func(body string) (int, string) {
		return b.do(t, "POST", path, body, "Content-Type", "application/json; charset=utf-8")
	}
	if status, body := add(`{"operation":"GetId","outcome":"throttle","latency":"1ms","probability":1,"count":3}`); status != 201 || body != "{\"id\":1}\n" {
		t.Errorf("%d %s", status, body)
	}
	add(`{"outcome":"drop","operation":"GetUser"}`)
	want := []faults.Active{
		{ID: 1, Fault: faults.Fault{Operation: "GetId", Outcome: faults.Throttle, Latency: time.Millisecond, Probability: 1, Count: 3}},
		{ID: 2, Fault: faults.Fault{Operation: "GetUser", Outcome: faults.Drop}},
	}
	if diff := cmp.Diff(want, b.Faults().List()); diff != "" {
		t.Error(diff)
	}
	_, body := b.do(t, "GET", path, "")
	var got struct {
		Faults     []faults.Active
		Operations []string
		Outcomes   []faults.Outcome
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || cmp.Diff(want, got.Faults) != "" || len(got.Operations) < 20 || len(got.Outcomes) != 7 {
		t.Errorf("%v %s", err, body)
	}
	for body, want := range map[string]string{
		`{"outcome":"explode"}`:                     `there is no outcome`,
		`{"operation":"GetID","outcome":"drop"}`:    `there is no operation`,
		`{"outcome":"drop","probabilty":0.1}`:       `unknown field`,
		`{"outcome":"drop","latency":"soon"}`:       `latency`,
		`{"outcome":"drop"`:                         `cannot be read`,
		`[]`:                                        `cannot be read`,
		`{"x":"` + strings.Repeat("x", 70e3) + `"}`: `too large`,
	} {
		if status, text := add(body); status != 400 || !strings.Contains(text, want) {
			t.Errorf("%.40s: %d %s, want %q", body, status, text, want)
		}
	}
	if status, _ := b.do(t, "DELETE", path+"/1", ""); status != 204 || len(b.Faults().List()) != 1 {
		t.Errorf("removing one: %d", status)
	}
	for _, id := range []string{"1", "x", "99999999999999999999"} {
		if status, _ := b.do(t, "DELETE", path+"/"+id, ""); status != 404 {
			t.Errorf("removing %s: %d", id, status)
		}
	}
	if status, _ := b.do(t, "DELETE", path, ""); status != 204 || len(b.Faults().List()) != 0 {
		t.Errorf("clearing: %d", status)
	}
}

func TestAdminCalls(t *testing.T) {
	b := startBackend(t, nil)
	b.mustGetID(t, nil)
	b.mustGetID(t, nil)
	if status, body := b.do(t, "GET", "/admin/calls", ""); status != 200 || body != "{\"counts\":{\"GetId\":2}}\n" {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := b.do(t, "DELETE", "/admin/calls", ""); status != 204 || len(b.Calls()) != 0 {
		t.Errorf("reset: %d, %v", status, b.Calls())
	}
	b.mustGetID(t, nil)
	b.ResetCalls()
	if len(b.Calls()) != 0 {
		t.Errorf("reset: %v", b.Calls())
	}
}

// Only those who have a program on this machine may break the sandbox: no page of another origin.
func TestAdminRefusesOtherOrigins(t *testing.T) {
	b := startBackend(t, nil)
	const fault = `{"outcome":"drop"}`
	const jsonType = "application/json"
	for _, tt := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
	}{
		{"another site", "POST", "/admin/faults", fault, []string{"Content-Type", jsonType, "Sec-Fetch-Site", "cross-site"}, 403},
		{"another port", "POST", "/admin/faults", fault, []string{"Content-Type", jsonType, "Sec-Fetch-Site", "same-site"}, 403},
		{"another origin, old browser", "POST", "/admin/faults", fault, []string{"Content-Type", jsonType, "Origin", "https://evil.example"}, 403},
		{"no origin of its own", "DELETE", "/admin/faults", "", []string{"Origin", "null"}, 403},
		{"keys", "POST", "/admin/keys/rotate", "", []string{"Origin", "https://evil.example"}, 403},
		{"clock", "PUT", "/admin/clock", `{"offset":"1h"}`, []string{"Content-Type", jsonType, "Origin", "https://evil.example"}, 403},
		{"calls", "DELETE", "/admin/calls", "", []string{"Origin", "https://evil.example"}, 403},
		{"a form", "POST", "/admin/faults", fault, []string{"Content-Type", "text/plain"}, 415},
		{"no content type", "POST", "/admin/faults", fault, nil, 415},
		{"rebound name", "GET", "/admin/faults", "", []string{"Host", "evil.example"}, 421},
		{"name of AWS", "GET", "/admin/faults", "", []string{"Host", "cognito-idp." + b.Auth.Region + ".amazonaws.com"}, 421},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if status, body := b.do(t, tt.method, tt.path, tt.body, tt.header...); status != tt.status {
				t.Errorf("%d %s, want %d", status, body, tt.status)
			}
		})
	}
	if len(b.Faults().List()) != 0 {
		t.Error("a fault was set")
	}
	// Preflight is not answered with leave.
	if status, _ := b.do(t, "OPTIONS", "/admin/faults", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"); status != http.StatusMethodNotAllowed {
		t.Errorf("preflight: %d", status)
	}
}
