package doctor_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify/doctor"
	"github.com/amplify-go/amplify/internal/testpool"
)

// TestSessions: what is said of the sessions that a browser may send.
func TestSessions(t *testing.T) {
	w := newWorld(t)
	access, id := w.Access(alice), w.ID(alice)
	good := cookies(alice, access, id, refreshToken)
	claim := func(name string, value any) testpool.Claim { return testpool.Claim{Name: name, Value: value} }
	forged := w.JWT(jwt.SigningMethodRS256, w.Key("rogue"), map[string]any{"kid": "key-1"},
		w.Claims(map[string]any{"token_use": "access", "client_id": testpool.Client, "username": alice.Name}, alice))
	unsigned := w.JWT(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, map[string]any{"kid": "key-1"},
		w.Claims(map[string]any{"token_use": "access", "client_id": testpool.Client, "username": alice.Name}, alice))
	other := "CognitoIdentityServiceProvider.4otherclientid."

	tests := map[string]struct {
		cookies string
		after   time.Duration
		want    []string
	}{
		"good":                     {good, 0, []string{"cookies ok", "tokens ok", "expiry ok", "session ok"}},
		"no refresh token":         {cookies(alice, access, id, ""), 0, []string{"tokens ok", "expiry warning", "session ok"}},
		"no cookies":               {"", 0, []string{"cookies ok", "session problem no_session"}},
		"other cookies":            {"theme=dark; lang=en", 0, []string{"session problem no_session"}},
		"another client's":         {other + "LastAuthUser=x; " + other + "x.accessToken=" + access, 0, []string{"cookies warning", "session problem no_session"}},
		"another client's as well": {good + "; " + other + "x.accessToken=" + access, 0, []string{"cookies warning", "session ok"}},
		"a secret for a client":    {"a=secretsecret; CognitoIdentityServiceProvider.secretsecret.LastAuthUser=x", 0, []string{"cookies warning", "session problem no_session"}},
		"expired":                  {good, 2 * time.Hour, []string{"tokens ok", "expiry warning", "session warning"}},
		"expired for good": {cookies(alice, access, id, ""), 49 * time.Hour, []string{
			"tokens ok", "expiry problem expired_no_refresh_token", "session problem expired_no_refresh_token"}},
		"forged":       {cookies(alice, forged, id, refreshToken), 0, []string{"tokens problem bad_signature", "session problem bad_signature"}},
		"unsigned":     {cookies(alice, unsigned, id, refreshToken), 0, []string{"tokens problem bad_algorithm", "session problem bad_algorithm"}},
		"unknown key":  {cookies(alice, w.Sign("rogue", nil, alice, nil), id, ""), 0, []string{"tokens problem unknown_key", "session problem unknown_key"}},
		"another pool": {cookies(alice, w.Access(alice, claim("iss", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other")), id, ""), 0, []string{"tokens problem wrong_issuer", "session problem wrong_issuer"}},
		"client":       {cookies(alice, w.Access(alice, claim("client_id", "another")), id, ""), 0, []string{"tokens problem wrong_client", "session problem wrong_client"}},
		"swapped":      {cookies(alice, id, access, ""), 0, []string{"tokens problem wrong_token_use", "session problem wrong_token_use"}},
		"two users":    {cookies(alice, access, w.ID(bob), ""), 0, []string{"tokens problem user_mismatch", "session problem user_mismatch"}},
		"not yet":      {cookies(alice, access, w.ID(alice, claim("nbf", w.Now().Unix()+600)), ""), 0, []string{"tokens ok", "session problem not_yet_valid"}},
		"other name":   {cookies(bob, access, id, ""), 0, []string{"tokens ok", "session ok"}},
		"no ID token":  {cookies(alice, access, "", refreshToken), 0, []string{"tokens problem incomplete_session", "session problem incomplete_session"}},
		"refresh only": {cookies(alice, "", "", refreshToken), 0, []string{"tokens problem incomplete_session", "session problem incomplete_session"}},
		"garbage":      {cookies(alice, "%E0%A4%A-not-a-token", id, ""), 0, []string{"tokens problem malformed_token", "session problem malformed_token"}},
		"no LastAuthUser": {good[strings.Index(good, "; ")+2:], 0, []string{
			"tokens warning", "session problem incomplete_session"}},
		"duplicates": {good + "; " + cookies(alice, forged, id, ""), 0, []string{
			"cookies warning", "tokens ok", "tokens warning bad_signature", "session ok"}},
		"drift": {good + "; " + testpool.Prefix + "alice.liddell%40example.com.clockDrift=99999999999", 0, []string{"expiry ok", "session ok"}},
		"large cookie": {cookies(alice, w.Access(alice, claim("custom", strings.Repeat("x", 3500))), id, ""), 0, []string{
			"cookies problem", "tokens problem token_too_large", "session problem token_too_large"}},
		"much":     {good + "; a=" + strings.Repeat("yz", 1750) + "; b=" + strings.Repeat("yz", 1000), 0, []string{"cookies warning", "session ok"}},
		"too much": {good + "; a=" + strings.Repeat("yz", 2000) + "; b=" + strings.Repeat("yz", 2000), 0, []string{"cookies problem", "session ok"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.Advance(test.after)
			defer w.Advance(-test.after)
			r := examine(t, w.config(), w.input(test.cookies))
			wantFindings(t, r, test.want...)
			if n := len(w.Refreshes()); n != 0 {
				t.Errorf("%d refreshes", n)
			}
		})
	}
}

// TestWhoseCookies: what is said of an incomplete session names its cookies, and no values.
func TestWhoseCookies(t *testing.T) {
	w := newWorld(t)
	access, id := w.Access(alice), w.ID(alice)
	name := testpool.Prefix + "alice.liddell%40example.com"
	last := testpool.Prefix + "LastAuthUser="
	details := "; " + name + ".signInDetails=" + url.QueryEscape(`{"loginId":"alice.liddell@example.com"}`)
	tests := map[string]struct{ cookies, text string }{
		"no ID token":     {cookies(alice, access, "", refreshToken) + details, name + ".idToken is missing. Of the same user there is accessToken and refreshToken."},
		"no access token": {cookies(alice, "", id, ""), name + ".accessToken is missing. Of the same user there is idToken."},
		"refresh only":    {cookies(alice, "", "", refreshToken), name + ".accessToken and " + name + ".idToken are missing. Of the same user there is refreshToken."},
		"another user":    {last + "bob; " + name + ".accessToken=" + access, "LastAuthUser selects a user of whom there are no tokens. There are cookies of " + name + " (accessToken)."},
		"no LastAuthUser": {name + ".accessToken=" + access + "; " + name + ".idToken=" + id, "There are cookies of " + name + " (accessToken, idToken)."},
		"a token in the name": {last + "x; " + testpool.Prefix + access[100:140] + ".accessToken=" + access,
			testpool.Prefix + "(not shown) (accessToken)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := examine(t, w.config(), w.input(test.cookies))
			said := ""
			for _, f := range r.Findings {
				if f.Check == "tokens" {
					said += f.Message
				}
			}
			if !strings.Contains(said, test.text) {
				t.Errorf("%q is not said, but %q", test.text, said)
			}
		})
	}
}

// TestBearer: an application that accepts bearer tokens judges a request with one by it alone.
func TestBearer(t *testing.T) {
	w := newWorld(t)
	access := w.Access(alice)
	good := cookies(alice, access, w.ID(alice), refreshToken)
	tests := map[string]struct {
		token, cookies string
		refused        bool // by the options
		after          time.Duration
		want           []string
	}{
		"good":                    {token: access, want: []string{"tokens ok", "session ok"}},
		"good, with bad cookies":  {token: access, cookies: cookies(bob, "x", "y", ""), want: []string{"tokens ok", "session ok"}},
		"bad, with good cookies":  {token: access[:len(access)-4] + "AAAA", cookies: good, want: []string{"tokens problem bad_signature", "session problem bad_signature"}},
		"an ID token":             {token: w.ID(alice), want: []string{"tokens problem wrong_token_use", "session problem wrong_token_use"}},
		"expired":                 {token: access, after: 2 * time.Hour, want: []string{"tokens problem expired_no_refresh_token", "session problem expired_no_refresh_token"}},
		"not accepted":            {token: access, refused: true, want: []string{"session problem no_session"}},
		"not accepted, not asked": {token: access, cookies: good, refused: true, want: []string{"tokens ok", "session ok"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w.Advance(test.after)
			defer w.Advance(-test.after)
			in := w.input(test.cookies)
			in.Options.Bearer = !test.refused
			in.Requests[0].Header.Set("Authorization", "bearer "+test.token)
			r := examine(t, w.config(), in)
			wantFindings(t, r, test.want...)
			if text := strings.Join(strings.Fields(r.String()), " "); strings.Contains(text, "Set Options.Bearer") != (test.refused && test.cookies == "") {
				t.Errorf("\n%s", r)
			}
		})
	}
}

// TestSeveralRequests: each is judged by its own cookies, and findings say whose they are.
func TestSeveralRequests(t *testing.T) {
	w := newWorld(t)
	in := w.input("theme=dark")
	in.Requests = append(in.Requests, request("/api/me?code=secret-in-the-query", cookies(alice, w.Access(alice), w.ID(alice), refreshToken)))
	r := examine(t, w.config(), in)
	got := map[string]doctor.Status{}
	for _, f := range r.Findings {
		if f.Check == "session" || f.Check == "keys" {
			got[f.Check+" "+f.Request] = f.Status
		}
	}
	want := map[string]doctor.Status{
		"keys ":                              doctor.OK,
		"session GET " + appOrigin + "/home": doctor.Problem, "session GET " + appOrigin + "/api/me": doctor.OK,
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if text := r.String(); !strings.Contains(text, "\n\nGET "+appOrigin+"/api/me\n✓") || strings.Contains(text, "in-the-query") {
		t.Error(text)
	}
}

// TestReportJSON: the form that programs rely on.
func TestReportJSON(t *testing.T) {
	r := &doctor.Report{Findings: []doctor.Finding{
		{Check: "keys", Status: doctor.OK, Message: "Good."},
		{Check: "session", Request: "GET https://myapp.com/", Status: doctor.Problem, Message: "Bad.", Advice: "Do it.", Reason: "no_session"},
	}}
	b, err := json.Marshal(r)
	const want = `{"findings":[{"check":"keys","status":"ok","message":"Good."},` +
		`{"check":"session","request":"GET https://myapp.com/","status":"problem","message":"Bad.","advice":"Do it.","reason":"no_session"}]}`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v", b, err)
	}
}

// TestDriftIsTold: what the browser's note of its clock does is said.
func TestDriftIsTold(t *testing.T) {
	w := newWorld(t)
	in := w.input(cookies(alice, w.Access(alice), w.ID(alice), refreshToken) +
		"; " + testpool.Prefix + "alice.liddell%40example.com.clockDrift=30000")
	if r := examine(t, w.config(), in); !strings.Contains(r.String(), "30 seconds early") {
		t.Errorf("\n%s", r)
	}
}

// TestKeysDown: while the keys cannot be had nothing is known of a session.
func TestKeysDown(t *testing.T) {
	w := newWorld(t)
	w.KeysDown(true)
	in := w.input(cookies(alice, w.Access(alice), w.ID(alice), refreshToken))
	wantFindings(t, examine(t, w.config(), in),
		"keys problem keys_unavailable", "tokens problem keys_unavailable", "session problem keys_unavailable")
}

// TestOffline: nothing is asked, and what cannot be told is no problem.
func TestOffline(t *testing.T) {
	w := newWorld(t)
	in := w.input(cookies(alice, w.Access(alice), w.ID(alice), refreshToken))
	in.Offline, in.URL = true, appOrigin
	in.Options.App.HTTPClient = &http.Client{Transport: noNetwork{t}}
	r := examine(t, w.config(), in)
	wantFindings(t, r, "tokens warning keys_unavailable", "session warning keys_unavailable")
	for _, f := range r.Findings {
		if f.Check == "keys" || f.Check == "clock" || f.Check == "managed-login" || f.Check == "app" {
			t.Errorf("offline, and yet %+v", f)
		}
	}
}

type noNetwork struct{ t *testing.T }

func (n noNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("%s is asked", r.URL)
	return nil, http.ErrNotSupported
}

// TestWithoutRequest: without a request there is no verdict on one.
func TestWithoutRequest(t *testing.T) {
	w := newWorld(t)
	in := w.input("")
	in.Requests = nil
	r := examine(t, w.config(), in)
	wantFindings(t, r, "configuration ok", "origin ok", "redirects ok", "keys ok", "clock ok", "app-client ok", "managed-login ok", "identity-pool ok")
	if !r.Healthy() || len(r.Findings) != 8 {
		t.Errorf("\n%s", r)
	}
}

// TestReportText: marks in the first column, advice below, lines of bounded width.
func TestReportText(t *testing.T) {
	r := &doctor.Report{Findings: []doctor.Finding{
		{Check: "a", Status: doctor.OK, Message: "Good."},
		{Check: "bcd", Status: doctor.Warning, Message: strings.Repeat("word ", 20), Advice: "Do it."},
		{Check: "e", Status: doctor.Problem, Message: "Bad.", Reason: "no_session"},
	}}
	const want = `✓ a    Good.
! bcd  word word word word word word word word word word word word word word word
       word word word word word
       → Do it.
✗ e    Bad. (no_session)

1 problem, 1 warning.
`
	if got := r.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := (&doctor.Report{}).String(); got != "\nNothing is wrong.\n" {
		t.Errorf("%q", got)
	}
}
