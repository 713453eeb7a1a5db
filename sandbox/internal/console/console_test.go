package console

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
	"github.com/amplify-go/amplify/sandbox/internal/calls"
	"github.com/amplify-go/amplify/sandbox/internal/clock"
	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

const (
	clientID = "4console0000000000000000001"
	ada      = "ada@example.com"
	hostile  = `"><script>alert(1)</script>`
)

type sandbox struct {
	*httptest.Server
	t      *testing.T
	pool   *userpool.Pool
	calls  *calls.Log
	faults *faults.Set
	clock  *clock.Clock
	client *http.Client
	log    *strings.Builder
}

func poolConfig() userpool.Config {
	return userpool.Config{
		ID: "eu-west-1_Sandbox01", Region: "eu-west-1",
		Clients: []userpool.Client{{ID: clientID, Name: "web", Secret: "the-secret-of-the-client", CallbackURLs: []string{"http://localhost:3000/cb?x=1&y=2"},
			Scopes: []string{"openid"}, Providers: []string{"COGNITO", "Google"}}},
		UsernameAttributes: []string{"email"}, VerifiedAttributes: []string{"email"},
	}
}

// signingKeys are made once: RSA keys take the better part of a second.
var signingKeys = sync.OnceValues(func() (keys []store.SigningKey, err error) {
	ctx := context.Background()
	st, err := store.Open(ctx, "")
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.Close() }()
	if _, err := userpool.New(ctx, st, poolConfig()); err != nil {
		return nil, err
	}
	err = st.View(ctx, func(tx *store.Tx) (err error) {
		keys, err = tx.SigningKeys()
		return err
	})
	return keys, err
})

func newSandbox(t *testing.T, change ...func(*userpool.Config)) *sandbox {
	t.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	keys, err := signingKeys()
	if err == nil {
		err = st.Update(ctx, func(tx *store.Tx) error {
			for _, k := range keys {
				if err := tx.AddSigningKey(k); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	cfg := poolConfig()
	for _, f := range change {
		f(&cfg)
	}
	pool, err := userpool.New(ctx, st, cfg)
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	s := &sandbox{t: t, pool: pool, calls: calls.NewLog(5), client: &http.Client{Jar: jar}, log: &strings.Builder{}}
	mux := http.NewServeMux()
	mux.Handle("GET "+ui.AssetPrefix, ui.NewAssets())
	s.faults, s.clock = faults.NewSet([]string{"GetId", "jwks.json"}, 1), clock.New(nil)
	New(Config{Pool: pool, Faults: s.faults, Clock: s.clock, Calls: s.calls, Outputs: func() []byte { return []byte(`{"version":"1.4"}`) },
		Logger: slog.New(slog.NewTextHandler(s.log, nil))}).Register(mux)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *sandbox) signUp(email string) *userpool.User {
	s.t.Helper()
	u, _, err := s.pool.SignUp(s.t.Context(), userpool.SignUpInput{ClientID: clientID, Username: email, Password: "Correct-horse-9", Attributes: map[string]string{"email": email}})
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func (s *sandbox) do(req *http.Request) (*http.Response, string) {
	s.t.Helper()
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res, string(body)
}

// get reads a page, which must be good HTML without script.
func (s *sandbox) get(path string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequest("GET", s.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, body := s.do(req)
	checkHTML(s.t, path, body)
	return res, body
}

var (
	tokenPattern  = regexp.MustCompile(`name="csrf" value="([^"]*)"`)
	actionPattern = regexp.MustCompile(`method="post" action="([^"]*)"`)
)

// post submits the form of a page with that action, and pairs of names and values.
func (s *sandbox) post(page, action string, fields ...string) (*http.Response, string) {
	s.t.Helper()
	_, body := s.get(page)
	if !strings.Contains(body, `action="`+action+`"`) {
		s.t.Fatalf("%s has no form for %s", page, action)
	}
	form := url.Values{"csrf": {tokenPattern.FindStringSubmatch(body)[1]}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	res, answer := s.submit(action, form, "same-origin")
	checkHTML(s.t, action, answer)
	return res, answer
}

func (s *sandbox) submit(action string, form url.Values, site string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequest("POST", s.URL+action, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", site)
	return s.do(req)
}

func checkHTML(t *testing.T, page, body string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v in\n%s", page, err, body)
		}
		if el, ok := tok.(xml.StartElement); ok {
			if el.Name.Local == "script" || el.Name.Local == "style" {
				t.Errorf("%s has a <%s>", page, el.Name.Local)
			}
			for _, a := range el.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" {
					t.Errorf("%s: <%s> has %s", page, el.Name.Local, a.Name.Local)
				}
			}
		}
	}
}

func TestEmptySandboxSaysWhatToDo(t *testing.T) {
	s := newSandbox(t)
	for path, want := range map[string]string{
		"/console":         "Try managed login",
		"/console/users":   "Open managed login",
		"/console/groups":  "Groups come from",
		"/console/calls":   "Sign in, and reload",
		"/console/outputs": `{&#34;version&#34;:&#34;1.4&#34;}`,
		"/inbox":           "Sign up, or ask for a new password",
	} {
		res, body := s.get(path)
		if res.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %s, without %q:\n%s", path, res.Status, want, body)
		}
		if h := res.Header; h.Get("Cache-Control") != "no-store" || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: headers %v", path, h)
		}
		if strings.Contains(body, "the-secret-of-the-client") {
			t.Errorf("%s shows the client's secret", path)
		}
		if res.Header.Get("Refresh") != "" {
			t.Errorf("%s reloads itself without being asked", path)
		}
	}
	_, body := s.get("/console")
	link := `/login?client_id=` + clientID + `&amp;redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcb%3Fx%3D1%26y%3D2&amp;response_type=code`
	if !strings.Contains(body, link) {
		t.Errorf("no link %s in\n%s", link, body)
	}
}

func TestInboxIsReadByTests(t *testing.T) {
	s := newSandbox(t)
	first := s.signUp(ada)
	s.signUp("grace@example.com")
	if _, err := s.pool.ResendConfirmationCode(t.Context(), clientID, ada); err != nil {
		t.Fatal(err)
	}
	messages, err := s.pool.MessagesTo(t.Context(), first.Sub, 10)
	if err != nil || len(messages) != 2 {
		t.Fatal(messages, err)
	}
	codes := regexp.MustCompile(`<code data-to="([^"]*)" data-kind="([^"]*)" data-username="([^"]*)">([^<]*)</code>`)
	_, body := s.get("/inbox?to=" + url.QueryEscape(strings.ToUpper(ada)))
	found := codes.FindAllStringSubmatch(body, -1)
	if len(found) != 2 {
		t.Fatalf("%d codes:\n%s", len(found), body)
	}
	for i, m := range messages {
		if got := found[i][1:]; got[0] != ada || got[1] != "sign-up" || got[2] != first.Username || got[3] != m.Code {
			t.Errorf("code %d: %v, want %+v", i, got, m)
		}
	}
	if _, body := s.get("/inbox"); len(codes.FindAllString(body, -1)) != 3 {
		t.Errorf("the whole inbox:\n%s", body)
	}
	if res, _ := s.get("/inbox?refresh=1&to=" + ada); res.Header.Get("Refresh") == "" {
		t.Error("?refresh=1 does not reload")
	}
	if _, body := s.get("/inbox?to=" + url.QueryEscape(hostile)); !strings.Contains(body, "Nothing for &#34;&gt;&lt;script") {
		t.Errorf("nobody's inbox:\n%s", body)
	}
}

func TestRotateKeys(t *testing.T) {
	s := newSandbox(t)
	before := string(s.pool.JWKS())
	if res, body := s.post("/console", "/console/keys/rotate"); res.Request.URL.Path != "/console" || !strings.Contains(body, "The new keys sign") {
		t.Errorf("%s at %s", res.Status, res.Request.URL.Path)
	}
	if string(s.pool.JWKS()) == before {
		t.Error("the keys are the same")
	}
}

func TestFormsOfOtherSitesDoNothing(t *testing.T) {
	s := newSandbox(t)
	u := s.signUp(ada)
	_, body := s.get("/console")
	token := tokenPattern.FindStringSubmatch(body)[1]
	keys := string(s.pool.JWKS())
	user := "/console/users/" + u.Sub
	actions := []string{"/console/keys/rotate", "/console/users", "/console/groups",
		"/console/group?name=editors", "/console/group/delete?name=editors", "/console/query"}
	for _, action := range []string{"confirm", "enable", "disable", "password", "reset", "sign-out",
		"attributes", "groups/add", "groups/remove", "delete"} {
		actions = append(actions, user+"/"+action)
	}
	for _, action := range actions {
		if res, body := s.submit(action, url.Values{}, "same-origin"); res.StatusCode != 403 {
			t.Errorf("%s without token: %s", action, res.Status)
		} else {
			checkHTML(t, action, body)
		}
		if res, _ := s.submit(action, url.Values{"csrf": {token}}, "cross-site"); res.StatusCode != 403 {
			t.Errorf("%s from another site: %s", action, res.Status)
		}
	}
	if u, err := s.pool.User(t.Context(), u.Sub); err != nil || u.Status != userpool.Unconfirmed || string(s.pool.JWKS()) != keys {
		t.Errorf("something was changed: %v %v", u, err)
	}
}

func TestCalls(t *testing.T) {
	s := newSandbox(t)
	h := s.calls.Handler(func(r *http.Request) string { return "Get<User>" }, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amzn-ErrorType", "NotAuthorizedException:")
		w.WriteHeader(400)
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil))
	if _, body := s.get("/console/calls"); !strings.Contains(body, "Get&lt;User&gt;") || !strings.Contains(body, "NotAuthorizedException") || !strings.Contains(body, ">400<") {
		t.Errorf("%s", body)
	}
}

func TestUnknownPages(t *testing.T) {
	s := newSandbox(t)
	for path, want := range map[string]string{
		"/console/nothing":                          `<a href="/console">`,
		"/console/":                                 `<a href="/console">`,
		"/console/users/x/password":                 `<a href="/console">`, // a form, and no page
		"/console/users/nobody":                     `<a href="/console/users">`,
		"/console/users/nobody/delete":              `<a href="/console/users">`,
		"/console/users/" + url.PathEscape(hostile): `<a href="/console/users">`,
		"/console/group":                            `<a href="/console/groups">`,
		"/console/group?name=nobodies":              `<a href="/console/groups">`,
		"/console/group/delete?name=" + "nobodies":  `<a href="/console/groups">`,
	} {
		if res, body := s.get(path); res.StatusCode != 404 || !strings.Contains(body, want) {
			t.Errorf("%s: %s, want a page with %s:\n%s", path, res.Status, want, body)
		}
	}
}

// What an application asks for in vain is named, and said to be missing from the sandbox.
func TestCallsOfUnknownOperations(t *testing.T) {
	s := newSandbox(t)
	api := awsjson.NewHandler(slog.New(slog.DiscardHandler))
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService.AdminList<b>Devices")
	s.calls.Handler(api.Operation, api).ServeHTTP(httptest.NewRecorder(), r)
	for path, name := range map[string]string{
		"/console/calls": "AdminList&lt;b&gt;Devices", "/console/faults": awsjson.UnknownOperation,
	} {
		_, body := s.get(path)
		if !strings.Contains(body, `<code>`+name+`</code> <span class="muted">not in the sandbox</span>`) {
			t.Errorf("%s: %s", path, body)
		}
		checkHTML(t, path, body)
	}
}

// Without its optional parts the console still shows all pages.
func TestWithoutCallsAndOutputs(t *testing.T) {
	s := newSandbox(t)
	mux := http.NewServeMux()
	New(Config{Pool: s.pool}).Register(mux)
	for path, want := range map[string]string{"/console": "User pool", "/console/calls": "No calls yet", "/console/outputs": "No outputs file"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d\n%s", path, w.Code, w.Body)
		}
	}
}

// What breaks is logged, and the page says nothing of it.
func TestFailure(t *testing.T) {
	s := newSandbox(t)
	st, err := store.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	broken, err := userpool.New(t.Context(), st, s.pool.Config())
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	New(Config{Pool: broken, Logger: slog.New(slog.NewTextHandler(s.log, nil))}).Register(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/console/users", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "sql") || !strings.Contains(s.log.String(), "the console failed") {
		t.Errorf("%d, log %q\n%s", w.Code, s.log, w.Body)
	}
}
