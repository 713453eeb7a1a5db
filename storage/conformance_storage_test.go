package storage_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/storage"
)

// recordedInput is the input of a case of storage.json.
type recordedInput struct {
	Config         json.RawMessage `json:"config"`
	Outputs        json.RawMessage `json:"outputs"`
	LibraryOptions struct {
		Storage struct {
			S3 struct {
				DefaultAccessLevel  storage.AccessLevel `json:"defaultAccessLevel"`
				IsObjectLockEnabled bool                `json:"isObjectLockEnabled"`
			}
		}
	} `json:"libraryOptions"`
	Session   string          `json:"session"`
	Call      string          `json:"call"`
	Input     json.RawMessage `json:"input"`
	Progress  bool            `json:"progress"`
	Responses []canned        `json:"responses"`
}

// canned is a canned reply.
type canned struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Text    string            `json:"text"`
	Drop    bool              `json:"drop"`
	// When, if it is set, says to which requests the reply belongs. Query is a parameter that they
	// have.
	When *struct {
		Method     string `json:"method"`
		Query      string `json:"query"`
		PartNumber int    `json:"partNumber"`
	} `json:"when"`
}

func (c canned) answers(r *http.Request) bool {
	query := r.URL.Query()
	return c.When.Method == r.Method && (c.When.Query == "" || query.Has(c.When.Query)) &&
		(c.When.PartNumber == 0 || query.Get("partNumber") == fmt.Sprint(c.When.PartNumber))
}

// recordedExpected is what a case of storage.json expects.
type recordedExpected struct {
	Requests []recordedRequest `json:"requests"`
	Value    json.RawMessage   `json:"value"`
	Error    *recordedError    `json:"error"`
	Progress json.RawMessage   `json:"progress"`
	// NotGo says what of the call cannot be written in Go. Only rules expect it.
	NotGo string `json:"notGo"`
}

type recordedError struct {
	Name               string         `json:"name"`
	Message            string         `json:"message"`
	RecoverySuggestion string         `json:"recoverySuggestion"`
	HTTPStatusCode     int            `json:"httpStatusCode"`
	UnderlyingError    map[string]any `json:"underlyingError"`
	// Reason is ours. Only rules expect it.
	Reason amplify.Reason `json:"reason"`
}

type recordedRequest struct {
	Method   string            `json:"method"`
	Scheme   string            `json:"scheme"`
	Host     string            `json:"host"`
	Path     string            `json:"path"`
	Query    [][2]string       `json:"query"`
	RawQuery string            `json:"rawQuery"` // says the same as Query
	Headers  map[string]string `json:"headers"`
	Body     *recordedBody     `json:"body"`
	Attempts int               `json:"attempts"`
}

// recordedBody is a body that is text, or the size and hash of one that is data.
type recordedBody struct {
	Text   string `json:"text"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

func (b *recordedBody) bytes() []byte {
	if b == nil {
		return nil
	}
	return []byte(b.Text)
}

// sessions is storage.sessions.json.
type sessions struct {
	Now      time.Time `json:"now"`
	Sessions map[string]struct {
		IdentityID  string `json:"identityId"`
		Credentials *struct {
			AccessKeyID     string    `json:"accessKeyId"`
			SecretAccessKey string    `json:"secretAccessKey"`
			SessionToken    string    `json:"sessionToken"`
			Expiration      time.Time `json:"expiration"`
		} `json:"credentials"`
		Failure *amplify.Error `json:"failure"`
	} `json:"sessions"`
}

func (s *sessions) secrets() secrets {
	all := secrets{}
	for _, session := range s.Sessions {
		if c := session.Credentials; c != nil {
			all[c.AccessKeyID] = c.SecretAccessKey
		}
	}
	return all
}

// provider returns a source of the credentials of the session of a name.
func (s *sessions) provider(name string) amplify.CredentialsProvider {
	session := s.Sessions[cmp.Or(name, "user")]
	return credentialsFunc(func() (*amplify.Credentials, error) {
		if session.Failure != nil {
			return nil, session.Failure
		}
		if session.Credentials == nil {
			return nil, nil
		}
		return &amplify.Credentials{
			AccessKeyID:     session.Credentials.AccessKeyID,
			SecretAccessKey: amplify.NewSecret(session.Credentials.SecretAccessKey),
			SessionToken:    amplify.NewSecret(session.Credentials.SessionToken),
			Expires:         session.Credentials.Expiration, IdentityID: session.IdentityID,
		}, nil
	})
}

// credentialsFunc is a source of credentials.
type credentialsFunc func() (*amplify.Credentials, error)

func (f credentialsFunc) Credentials(context.Context, amplify.CredentialsInput) (*amplify.Credentials, error) {
	return f()
}

func loadSessions(t testing.TB) *sessions {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(conformance.Dir(t), "storage.sessions.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := &sessions{}
	if err := json.Unmarshal(b, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformanceStorage(t *testing.T) {
	t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
	all := loadSessions(t)
	conformance.Run(t, "storage.json", storageRules(all), func(t *testing.T, c conformance.Case) error {
		var in recordedInput
		if err := conformance.Decode(c.Input, &in); err != nil {
			return fmt.Errorf("input: %w", err)
		}
		var want recordedExpected
		if err := conformance.Decode(c.Expected, &want); err != nil {
			return fmt.Errorf("expected: %w", err)
		}
		call, notGo := in.call()
		if notGo != "" || want.NotGo != "" {
			return same("what cannot be written in Go", recordedExpected{NotGo: notGo}, want)
		}
		if want.Requests == nil || (want.Value == nil) == (want.Error == nil) {
			return errors.New("expected lacks requests, or has not one of value and error")
		}
		service := &cannedService{responses: in.Responses, secrets: all.secrets()}
		service.came = sync.NewCond(&service.mu)
		ctx := in.context(t, all, service)
		value, progress, err := call(ctx, in.Progress)
		return errors.Join(
			sameResult(want, value, err),
			sameProgress(want.Progress, progress),
			service.compare(want.Requests),
		)
	})
}

// context returns a context with the configuration and the session of the case.
func (in *recordedInput) context(t *testing.T, all *sessions, service http.RoundTripper) context.Context {
	t.Helper()
	var cfg amplify.Config // {} in JavaScript, which ParseConfig refuses
	raw := in.Config
	if in.Outputs != nil {
		raw = in.Outputs
	}
	if string(raw) != "{}" {
		var err error
		if cfg, err = amplify.ParseConfig(raw); err != nil {
			t.Fatal(err)
		}
	}
	app, err := amplify.New(cfg, amplify.Options{
		HTTPClient: &http.Client{Transport: service},
		Clock:      func() time.Time { return all.Now },
	})
	if err != nil {
		t.Fatal(err)
	}
	s3 := in.LibraryOptions.Storage.S3
	if err := storage.Configure(app, storage.Options{DefaultAccessLevel: s3.DefaultAccessLevel, ObjectLock: s3.IsObjectLockEnabled}); err != nil {
		t.Fatal(err)
	}
	ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{Credentials: all.provider(in.Session)})
	t.Cleanup(done)
	return ctx
}

// addressOf returns the parts of an address. The order of its parameters does not count: the
// signature does not depend on it.
func addressOf(s string) map[string]any {
	u, err := url.Parse(s)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"scheme": u.Scheme, "host": u.Host, "path": u.EscapedPath(), "query": u.Query()}
}

// engineErrors are worded by JavaScript engines. They are read as "fails": README.md, "Conventions
// of all files".
var engineErrors = regexp.MustCompile(`^(TypeError|SyntaxError|RangeError)|^Error: (Failed to parse XML response|Unexpected)`)

func sameResult(want recordedExpected, value any, err error) error {
	if want.Error == nil {
		if err != nil {
			return fmt.Errorf("failed: %w", err)
		}
		var recorded map[string]any
		if err := json.Unmarshal(want.Value, &recorded); err != nil {
			return err
		}
		if address, ok := recorded["url"].(string); ok {
			recorded["url"] = addressOf(address)
		}
		raw, err := json.Marshal(recorded)
		if err != nil {
			return err
		}
		return conformance.Diff(raw, value)
	}
	var e *amplify.Error
	switch {
	case err == nil:
		return fmt.Errorf("returned %v, want the error %+v", value, want.Error)
	case engineErrors.MatchString(want.Error.Name + ": " + want.Error.Message):
		return nil
	case !errors.As(err, &e):
		return fmt.Errorf("failed with %T %w", err, err)
	}
	got := recordedError{Name: e.Name, Message: e.Message}
	if want.Error.RecoverySuggestion != "" {
		got.RecoverySuggestion = e.RecoverySuggestion
	}
	if want.Error.Reason != "" {
		got.Reason = e.Reason
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		got.HTTPStatusCode = response.HTTPStatusCode()
	} else if want.Error.HTTPStatusCode == http.StatusOK {
		got.HTTPStatusCode = http.StatusOK // what is wrong with an answer is found when it has been read
	}
	if errors.Is(err, syscall.ECONNRESET) {
		got.UnderlyingError = map[string]any{"name": "TypeError", "message": "fetch failed"}
	}
	return same("the error", got, *want.Error)
}

func same(what string, got, want any) error {
	raw, err := json.Marshal(want)
	if err != nil {
		return err
	}
	if err := conformance.Diff(raw, got); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func sameProgress(want json.RawMessage, told []any) error {
	if want == nil {
		if len(told) > 0 {
			return fmt.Errorf("told %v about its progress", told)
		}
		return nil
	}
	return conformance.Diff(want, told)
}

// cannedService answers as a case says.
type cannedService struct {
	responses []canned
	secrets   secrets

	mu       sync.Mutex
	requests []recordedRequest
	answered int
	parts    int        // that have come
	came     *sync.Cond // of mu
}

func (s *cannedService) RoundTrip(r *http.Request) (*http.Response, error) {
	request := recordedRequest{
		Method: r.Method, Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery,
		Headers: map[string]string{"host": cmp.Or(r.Host, r.URL.Host)}, Attempts: 1,
	}
	for name, values := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && name != "x-amz-user-agent" || slices.Contains(recordedHeaders, name) {
			request.Headers[name] = strings.Join(values, ",")
		}
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if len(body) > 0 {
			request.Body = &recordedBody{Text: string(body)}
		}
	}
	if err := s.secrets.verify(r, request.Body.bytes()); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inOrder(r)
	if n := len(s.requests); n > 0 && sameAttempt(s.requests[n-1], request) {
		s.requests[n-1].Attempts++
	} else {
		s.requests = append(s.requests, request)
	}
	if len(s.responses) == 0 {
		return nil, errors.New("a call without a canned reply")
	}
	a := s.responses[min(s.answered, len(s.responses)-1)]
	s.answered++
	switch {
	case r.Method == http.MethodDelete && r.URL.Query().Has("uploadId"):
		a = canned{Status: http.StatusNoContent} // the original sends no such call
	case a.When != nil:
		i := slices.IndexFunc(s.responses, func(c canned) bool { return c.answers(r) })
		if i < 0 {
			return nil, fmt.Errorf("a call without a canned reply: %s %s", r.Method, r.URL)
		}
		a = s.responses[i]
	}
	if a.Drop {
		return nil, syscall.ECONNRESET
	}
	h := http.Header{}
	for name, value := range a.Headers {
		h.Set(name, value)
	}
	length := int64(len(a.Text))
	if r.Method == http.MethodHead {
		length = -1
	}
	return &http.Response{
		StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(strings.NewReader(a.Text)), ContentLength: length, Request: r,
	}, nil
}

// recordedHeaders are the headers that are compared beside those of AWS.
var recordedHeaders = []string{
	"authorization", "content-type", "content-md5", "content-disposition", "content-encoding", "cache-control", "if-none-match",
}

// inOrder waits until all parts before that of r have come, as they do in the recordings. s.mu is
// held.
func (s *cannedService) inOrder(r *http.Request) {
	number, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
	if err != nil {
		return
	}
	for s.parts+1 < number {
		s.came.Wait()
	}
	s.parts = max(s.parts, number)
	s.came.Broadcast()
}

// sameAttempt reports whether b repeats a. Its signature covers a header that counts the attempts.
func sameAttempt(a, b recordedRequest) bool {
	for _, r := range []*recordedRequest{&a, &b} {
		r.Attempts = 0
		r.Headers = maps.Clone(r.Headers)
		delete(r.Headers, "authorization")
	}
	return reflect.DeepEqual(a, b)
}

// compare compares the requests with the recorded ones.
func (s *cannedService) compare(want []recordedRequest) error {
	wanted, got := []map[string]any{}, []map[string]any{}
	for _, r := range want {
		wanted = append(wanted, r.meaning(r.Query))
	}
	for _, r := range s.requests {
		query, err := url.ParseQuery(r.RawQuery)
		if err != nil {
			return err
		}
		pairs := [][2]string{}
		for name, values := range query {
			for _, value := range values {
				pairs = append(pairs, [2]string{name, value})
			}
		}
		got = append(got, r.meaning(pairs))
	}
	return same("the requests", got, wanted)
}

var credentialScope = regexp.MustCompile(`Credential=[^,]+`)

// meaning returns what counts of a request. Of the headers that are hashes only counts that they
// are right, since an XML document can be written in many ways. Which headers are signed depends on
// those that the recordings leave out. That the signature is right is checked for ours.
func (r recordedRequest) meaning(query [][2]string) map[string]any {
	query = slices.Clone(query)
	slices.SortFunc(query, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	headers := map[string]any{}
	for name, value := range r.Headers {
		headers[name] = value
	}
	headers["authorization"] = credentialScope.FindString(r.Headers["authorization"])
	m := map[string]any{
		"method": r.Method, "scheme": r.Scheme, "host": r.Host, "path": r.Path,
		"query": query, "headers": headers, "attempts": r.Attempts,
	}
	if slices.ContainsFunc(query, func(q [2]string) bool { return q[0] == "list-type" || q[0] == "delete" }) {
		m["path"] = cmp.Or(strings.TrimSuffix(r.Path, "/"), "/") // of a bucket
	}
	if b := r.Body; b != nil && r.Method == http.MethodPut {
		sum := sha256.Sum256([]byte(b.Text))
		m["body"] = recordedBody{"", cmp.Or(b.Size, len(b.Text)), cmp.Or(b.SHA256, hex.EncodeToString(sum[:]))}
	} else if r.Body != nil {
		sha, sum := sha256.Sum256([]byte(r.Body.Text)), md5.Sum([]byte(r.Body.Text))
		for name, right := range map[string]string{
			"x-amz-content-sha256": hex.EncodeToString(sha[:]), "content-md5": base64.StdEncoding.EncodeToString(sum[:]),
		} {
			if headers[name] == right {
				headers[name] = "right"
			}
		}
		m["body"] = meaningOf(r.Body.Text)
	}
	return m
}

// meaningOf is what an XML document says.
func meaningOf(text string) any {
	type part struct {
		PartNumber          int
		ETag, ChecksumCRC32 string
	}
	var body struct {
		XMLName xml.Name
		Quiet   bool
		Object  []struct{ Key string }
		Part    []part
	}
	d := xml.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(&body); err != nil {
		return err.Error()
	}
	return map[string]any{"of": body.XMLName, "quiet": body.Quiet, "objects": body.Object, "parts": body.Part}
}
