package identity

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
)

// call sends a body to an operation and returns the status and the answer.
func call(h http.Handler, operation, body string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityService."+operation)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 …")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func handler(p *Pool) http.Handler {
	return awsjson.NewHandler(slog.New(slog.DiscardHandler), p.API())
}

// Answers have the names and types of the API Reference, times among them: numbers of seconds.
func TestAPI(t *testing.T) {
	p, a, _ := newPool(t, nil)
	h := handler(p)
	logins, err := json.Marshal(a.logins(t, "ann"))
	if err != nil {
		t.Fatal(err)
	}
	id := mustID(t, p, a.logins(t, "ann"))
	for _, tt := range []struct {
		operation, body string
		status          int
		answer          string // a regular expression
	}{
		{"GetId", fmt.Sprintf(`{"AccountId":"1","IdentityPoolId":%q,"Logins":%s}`, testPool, logins), 200, `{"IdentityId":"` + id + `"}`},
		// As aws-amplify asks for a guest.
		{"GetId", fmt.Sprintf(`{"IdentityPoolId":%q,"Logins":{}}`, testPool), 200, `{"IdentityId":"eu-west-1:[0-9a-f-]{36}"}`},
		{"GetCredentialsForIdentity", fmt.Sprintf(`{"IdentityId":%q,"Logins":%s}`, id, logins), 200,
			`{"IdentityId":"` + id + `","Credentials":{"AccessKeyId":"ASIA[A-Z2-7]{16}","SecretKey":"[\w+/]{40}","SessionToken":"[\w+/=]+","Expiration":1772370000}}`},
		{"DescribeIdentity", fmt.Sprintf(`{"IdentityId":%q}`, id), 200,
			`{"IdentityId":"` + id + `","Logins":\["` + a.name() + `"\],"CreationDate":1772366400,"LastModifiedDate":1772366400}`},
		{"DescribeIdentityPool", fmt.Sprintf(`{"IdentityPoolId":%q}`, testPool), 200,
			`{"IdentityPoolId":"` + testPool + `","IdentityPoolName":"sandbox","AllowUnauthenticatedIdentities":true,` +
				`"AllowClassicFlow":false,"CognitoIdentityProviders":\[{"ProviderName":"` + a.name() +
				`","ClientId":"client0","ServerSideTokenCheck":false},.*\]}`},
		{"GetIdentityPoolRoles", fmt.Sprintf(`{"IdentityPoolId":%q}`, testPool), 200,
			`{"IdentityPoolId":"` + testPool + `","Roles":{"authenticated":"arn:.*","unauthenticated":"arn:.*"},` +
				`"RoleMappings":{"` + a.name() + `:client0":{"Type":"Token","AmbiguousRoleResolution":"AuthenticatedRole"},.*}}`},
		{"UnlinkIdentity", fmt.Sprintf(`{"IdentityId":%q,"Logins":%s,"LoginsToRemove":[]}`, id, logins), 200, `{}`},
		{"DeleteIdentities", `{"IdentityIdsToDelete":["x:0"]}`, 200, `{"UnprocessedIdentityIds":\[\]}`},
		{"DeleteIdentities", `{}`, 400, `{"__type":"ValidationException","message":".* null at 'identityIdsToDelete' .* not be null"}`},
		{"ListIdentities", fmt.Sprintf(`{"IdentityPoolId":%q}`, testPool), 400,
			`{"__type":"ValidationException","message":".* null at 'maxResults' .* not be null"}`},
		{"GetOpenIdToken", fmt.Sprintf(`{"IdentityId":%q}`, id), 400, `{"__type":"InvalidParameterException","message":"Basic .*"}`},
		{"GetId", `{}`, 400, `{"__type":"ValidationException","message":"1 validation error detected: Value null at 'identityPoolId' failed .*"}`},
		{"GetCredentialsForIdentity", `{}`, 400, `{"__type":"ValidationException","message":"1 validation error detected: Value null at 'identityId' failed .*"}`},
		{"DescribeIdentity", `{"IdentityId":"x"}`, 400, `{"__type":"ValidationException",.*}`},
		{"DescribeIdentity", `{"IdentityId":"x:0"}`, 400, `{"__type":"ResourceNotFoundException","message":"Identity 'x:0' not found."}`},
		{"GetId", `{"Logins":7}`, 400, `{"__type":"SerializationException",.*}`},
		{"CreateIdentityPool", `{}`, 400, `{"__type":"UnknownOperationException",.*}`},
	} {
		status, answer := call(h, tt.operation, tt.body)
		if status != tt.status || !regexp.MustCompile("^"+tt.answer+"$").MatchString(answer) {
			t.Errorf("%s %s\ngot  %d %s\nwant %d %s", tt.operation, tt.body, status, answer, tt.status, tt.answer)
		}
	}
}

// Whatever the body says, what is refused is refused in the words of the API, and no token is in
// them. The store is closed: fuzzing would spend its time in SQLite, which sees nothing but ids and
// verified logins.
func FuzzAPI(f *testing.F) {
	p, a, _ := newPool(f, nil)
	if err := p.store.Close(); err != nil {
		f.Fatal(err)
	}
	h := handler(p)
	token := a.token(f, "ann", nil)
	login := fmt.Sprintf(`{%q:%q}`, a.name(), token)
	f.Add(0, fmt.Sprintf(`{"IdentityPoolId":%q,"Logins":%s}`, testPool, login))
	f.Add(0, fmt.Sprintf(`{"IdentityPoolId":%q}`, testPool))
	f.Add(1, fmt.Sprintf(`{"IdentityId":%q,"Logins":%s,"CustomRoleArn":"arn:aws:iam::1:role/x"}`, testPool, login))
	f.Add(1, `{"IdentityId":"eu-west-1:0","Logins":{"cognito-idp.":"a.b.c"}}`)
	f.Add(2, `{"IdentityId":"eu-west-1:0"}`)
	f.Add(3, `[null]`)
	operations := []string{"GetId", "GetCredentialsForIdentity", "DescribeIdentity", "GetOpenIdToken",
		"UnlinkIdentity", "ListIdentities", "DeleteIdentities"}
	f.Fuzz(func(t *testing.T, operation int, body string) {
		status, answer := call(h, operations[uint(operation)%uint(len(operations))], body)
		switch {
		case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge:
		case status == http.StatusInternalServerError && strings.Contains(answer, "InternalErrorException"): // it came as far as the store
		default:
			t.Errorf("status %d: %s", status, answer)
		}
		if !json.Valid([]byte(answer)) {
			t.Errorf("the answer is no JSON: %s", answer)
		}
		if strings.Contains(answer, token) {
			t.Error("the answer holds a token")
		}
	})
}
