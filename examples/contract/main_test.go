package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/internal/testpool"
)

func TestRoutes(t *testing.T) {
	s := newService(t)
	signedIn := testpool.Cookies(testpool.Alice,
		s.Access(testpool.Alice, testpool.Claim{Name: "scope", Value: "openid"}),
		s.ID(testpool.Alice), "r")
	for _, c := range []struct {
		path, cookies string
		status        int
		body          string
	}{
		{"/hello", "", 200, "hello"},
		{"/me", "", 401, `{"error":"UserUnAuthenticatedException","reason":"no_session"}`},
		{"/session", "", 200, `{"sub":"","identityId":"eu-west-1:guest-1","hasCredentials":true}`},
		{"/session", signedIn, 200, `{"sub":"` + testpool.Alice.Sub + `","identityId":"` +
			testpool.IdentityOf(testpool.Alice.Sub) + `","hasCredentials":true}`},
		{"/attributes", "", 401, `{"error":"UserUnAuthenticatedException","reason":"no_session"}`},
		{"/attributes", signedIn, 200,
			`{"email":"alice@example.com","email_verified":"true","sub":"` + testpool.Alice.Sub +
				`"}`},
		{"/file", signedIn, 503, `{"error":"NoBucket","reason":"configuration"}`},
		{"/notes", signedIn, 503, `{"error":"AmplifyDataError","reason":"configuration"}`},
		{"/elsewhere", "", 404, "404 page not found"},
	} {
		t.Run(strings.TrimPrefix(c.path, "/"), func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Cookie", c.cookies)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(string(body)); resp.StatusCode != c.status ||
				got != c.body {
				t.Errorf("%d %s; want %d %s", resp.StatusCode, got, c.status, c.body)
			}
		})
	}
}

// bucket is the S3 of a bucket with one object, beside the services of a pool.
type bucket struct{ pool http.RoundTripper }

func (b bucket) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "drive.s3.eu-west-1.amazonaws.com" {
		return b.pool.RoundTrip(r)
	}
	prefix := r.URL.Query().Get("prefix")
	if prefix != "public/" || !strings.Contains(r.Header.Get("Authorization"), "Credential=ASIA") {
		return nil, errors.New("not what is in the bucket")
	}
	w := httptest.NewRecorder()
	_, _ = io.WriteString(w, `<ListBucketResult><Name>drive</Name><Prefix>public/</Prefix>`+
		`<KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><Contents><Key>public/a.txt</Key>`+
		`<Size>3</Size><ETag>"e"</ETag><LastModified>2026-03-01T10:20:30.000Z</LastModified>`+
		`</Contents></ListBucketResult>`)
	return w.Result(), nil
}

// TestFiles: /file and /list, as a user and as a guest.
func TestFiles(t *testing.T) {
	pool := testpool.New(t)
	cfg, options := pool.IdentityConfig(), pool.Options()
	cfg.Storage = &amplify.StorageConfig{Bucket: "drive", Region: "eu-west-1"}
	options.HTTPClient = &http.Client{Transport: bucket{options.HTTPClient.Transport}}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{App: options})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close(context.Background()) })
	handler, err := newHandler(runner)
	if err != nil {
		t.Fatal(err)
	}
	get := func(path, cookies string) (int, string) {
		r, w := httptest.NewRequest(http.MethodGet, path, nil), httptest.NewRecorder()
		r.Header.Set("Cookie", cookies)
		handler.ServeHTTP(w, r)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	user := testpool.Cookies(testpool.Alice, pool.Access(testpool.Alice), pool.ID(testpool.Alice),
		"r")
	const listed = `{"items":[{"path":"public/a.txt","size":3,"eTag":"\"e\"",` +
		`"lastModified":"2026-03-01T10:20:30Z"}]}`
	for who, cookies := range map[string]string{"user": user, "guest": ""} {
		status, body := get("/file", cookies)
		var file fileAnswer
		if err := json.Unmarshal([]byte(body), &file); err != nil || status != http.StatusOK ||
			!strings.HasPrefix(file.URL,
				"https://drive.s3.eu-west-1.amazonaws.com/public/a.txt?") ||
			!strings.Contains(file.URL, "&X-Amz-Signature=") {
			t.Errorf("%s: %d %s, %v", who, status, body, err)
		}
		if status, body := get("/list?prefix=public/", cookies); status != http.StatusOK ||
			body != listed {
			t.Errorf("%s: %d %s", who, status, body)
		}
	}
	if status, body := get("/list?prefix=/a", user); status != http.StatusServiceUnavailable ||
		body != `{"error":"InvalidStoragePathInput"}` {
		t.Errorf("%d %s", status, body)
	}
}

// TestNotes: /notes lists as the user, and not as a guest.
func TestNotes(t *testing.T) {
	pool := testpool.New(t)
	outputs := fmt.Sprintf(`{"version":"1.4",
		"auth":{"user_pool_id":%q,"user_pool_client_id":%q,"aws_region":"eu-west-1"},
		"data":{"url":"https://api.test/graphql","aws_region":"eu-west-1",
			"default_authorization_type":"AMAZON_COGNITO_USER_POOLS",
			"authorization_types":[],
			"model_introspection":{"version":1,"enums":{},"nonModels":{},"models":{"Note":{
				"name":"Note","pluralName":"Notes","syncable":true,"attributes":[],
				"primaryKeyInfo":{"isCustomPrimaryKey":false,"primaryKeyFieldName":"id",
					"sortKeyFieldNames":[]},
				"fields":{
					"id":{"name":"id","isArray":false,"type":"ID","isRequired":true,
						"attributes":[]},
					"title":{"name":"title","isArray":false,"type":"String","isRequired":false,
						"attributes":[]}}}}}}}`,
		testpool.ID, testpool.Client)
	cfg, err := amplify.ParseConfig([]byte(outputs))
	if err != nil {
		t.Fatal(err)
	}
	options := pool.Options()
	options.HTTPClient = &http.Client{
		Transport: notesOf{options.HTTPClient.Transport, pool.Access(testpool.Alice)},
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{App: options})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close(context.Background()) })
	handler, err := newHandler(runner)
	if err != nil {
		t.Fatal(err)
	}
	for cookies, want := range map[string]string{
		testpool.Cookies(testpool.Alice, pool.Access(testpool.Alice), pool.ID(testpool.Alice),
			"r"): `200 {"items":[{"id":"1","title":"of alice"}],"nextToken":"t"}`,
		"": `401 {"error":"NoValidAuthTokens","reason":"no_session"}`,
	} {
		r, w := httptest.NewRequest(http.MethodGet, "/notes", nil), httptest.NewRecorder()
		r.Header.Set("Cookie", cookies)
		handler.ServeHTTP(w, r)
		if got := fmt.Sprintf("%d %s", w.Code, strings.TrimSpace(w.Body.String())); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// notesOf is the API with the notes of the user of a token, beside the services of a pool.
type notesOf struct {
	pool  http.RoundTripper
	token string
}

func (n notesOf) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "api.test" {
		return n.pool.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Authorization") != n.token ||
		!strings.Contains(string(body), `"limit":20`) {
		return nil, fmt.Errorf("not a list of the user: %s, %w", body, err)
	}
	w := httptest.NewRecorder()
	_, _ = io.WriteString(w,
		`{"data":{"listNotes":{"items":[{"id":"1","title":"of alice"}],"nextToken":"t"}}}`)
	return w.Result(), nil
}

// TestKeysDown: what cannot be judged is neither accepted nor refused.
func TestKeysDown(t *testing.T) {
	s := newService(t)
	s.KeysDown(true)
	cookies := testpool.Cookies(testpool.Alice, s.Access(testpool.Alice), s.ID(testpool.Alice), "r")
	status, _, refused, header := s.get(t, "/me", cookies)
	if status != http.StatusServiceUnavailable || refused.Reason != "keys_unavailable" ||
		header["Set-Cookie"] != nil {
		t.Errorf("status %d, %+v, %d cookies set", status, refused, len(header["Set-Cookie"]))
	}
}

// TestRun starts the server as main does, asks it something, and stops it.
func TestRun(t *testing.T) {
	outputs := filepath.Join(t.TempDir(), "outputs.json")
	text := fmt.Appendf(nil, `{"version":"1.4","auth":{"aws_region":"eu-west-1",
		"user_pool_id":%q,"user_pool_client_id":%q}}`, testpool.ID, testpool.Client)
	if err := os.WriteFile(outputs, text, 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(free.Addr().(*net.TCPAddr).Port)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"PORT": port, "AMPLIFY_OUTPUTS": outputs}

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		ended <- run(ctx, func(name string) string { return env[name] },
			func(net.Addr) { close(started) })
	}()
	select {
	case <-started:
	case err := <-ended:
		t.Fatal(err)
	}
	resp, err := http.Get("http://127.0.0.1:" + port + "/hello")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != "hello\n" {
		t.Errorf("%q, %v", body, err)
	}
	_ = resp.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRunWithoutOutputs(t *testing.T) {
	err := run(t.Context(), func(string) string { return filepath.Join(t.TempDir(), "none.json") },
		nil)
	if err == nil {
		t.Error("a server without a configuration")
	}
}
