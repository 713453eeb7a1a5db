package s3

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

const bucket = "bucket"

var (
	now   = time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	admin = aws.Credentials{AccessKeyID: "AKIAADMIN",
		SecretAccessKey: "secret of the administrator"}
	// ann may do everything below ann/, and read and list below shared/.
	ann = aws.Credentials{AccessKeyID: "ASIAANN", SecretAccessKey: "secret of Ann",
		SessionToken: "token+of/Ann="}
	// writer may only write and delete below ann/.
	writer = aws.Credentials{AccessKeyID: "ASIAWRITER", SecretAccessKey: "secret of a writer",
		SessionToken: "token of a writer"}
	none = aws.Credentials{}
)

// server is S3 with one bucket.
type server struct {
	*httptest.Server
	objects *objects.Store
	now     time.Time
	log     bytes.Buffer // of errors; complete once the server has closed
}

func newServer(t testing.TB) *server { return newServerIn(t, "") }

// newServerIn keeps objects in dir, or, if dir is empty, in memory.
func newServerIn(t testing.TB, dir string) *server {
	t.Helper()
	db, err := store.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{now: now}
	clock := func() time.Time { return s.now }
	if s.objects, err = objects.New(t.Context(), db, dir, 64<<20, clock); err != nil {
		t.Fatal(err)
	}
	rules, err := access.Parse([]byte(`{
		"ann/*": {"authenticated": ["get", "list", "write", "delete"],
			"guest": ["write", "delete"]},
		"shared/*": {"authenticated": ["get", "list"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	// Amplify refuses a rule for a whole bucket, but outputs may be written by hand.
	whole, err := access.Parse([]byte(`{"*": {"authenticated": ["list"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{bucket, "whole"} {
		if err := s.objects.CreateBucket(t.Context(), name, "us-east-1"); err != nil {
			t.Fatal(err)
		}
	}
	s.Server = httptest.NewServer(NewHandler(Config{
		Objects: s.objects, Region: "us-east-1",
		Rules: map[string]*access.Rules{bucket: rules, "whole": whole},
		Clock: clock,
		Logger: slog.New(slog.NewTextHandler(&s.log,
			&slog.HandlerOptions{Level: slog.LevelError})),
		HostBucket: func(host string) string {
			name, found := strings.CutSuffix(host, ".s3.example")
			if !found {
				return "" // path style
			}
			return name
		},
		Credentials: func(_ *http.Request, id, token string) (Caller, string, error) {
			switch {
			case id == admin.AccessKeyID && token == "":
				return Caller{Admin: true, ID: id}, admin.SecretAccessKey, nil
			case id == ann.AccessKeyID && token == ann.SessionToken:
				return Caller{Caller: access.Caller{Role: access.Authenticated}, ID: id},
					ann.SecretAccessKey, nil
			case id == writer.AccessKeyID && token == writer.SessionToken:
				return Caller{Caller: access.Caller{Role: access.Guest}, ID: id},
					writer.SecretAccessKey, nil
			case token == "expired":
				return Caller{}, "", ErrExpiredToken
			case token != "":
				return Caller{}, "", ErrInvalidToken
			}
			return Caller{}, "", ErrUnknownKey
		},
	}))
	t.Cleanup(func() {
		s.Server.Close()
		_ = s.objects.Close()
		_ = db.Close()
	})
	return s
}

// newRequest makes a request. Headers come in pairs.
func (s *server) newRequest(t testing.TB, method, target, body string,
	header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return r
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// sign signs a request by header, with the hash of its body, or another one that it has already.
func (s *server) sign(t testing.TB, r *http.Request, key aws.Credentials, body string) {
	t.Helper()
	if r.Header.Get("X-Amz-Content-Sha256") == "" {
		r.Header.Set("X-Amz-Content-Sha256", hashOf(body))
	}
	if err := signer().SignHTTP(t.Context(), key, r, r.Header.Get("X-Amz-Content-Sha256"), "s3",
		"us-east-1", s.now); err != nil {
		t.Fatal(err)
	}
}

func signer() *v4.Signer {
	return v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
}

// answer is what a request was answered.
type answer struct {
	*http.Response
	body string
	Code string // of an error
}

func (s *server) do(t testing.TB, r *http.Request) answer {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Response: res, body: string(body)}
	if res.StatusCode >= 400 && r.Method != http.MethodHead {
		var refused struct{ Code string }
		if err := xml.Unmarshal(body, &refused); err != nil {
			t.Fatalf("%d %s: %v", res.StatusCode, body, err)
		}
		a.Code = refused.Code
	}
	return a
}

// call makes a request that is signed by header.
func (s *server) call(t testing.TB, key aws.Credentials, method, target, body string,
	header ...string) answer {
	t.Helper()
	r := s.newRequest(t, method, target, body, header...)
	if key != none {
		s.sign(t, r, key, body)
	}
	return s.do(t, r)
}

// want fails the test unless the answer has that status and code, which is "" if there is no error.
func (a answer) want(t testing.TB, what string, status int, code string) {
	t.Helper()
	if a.StatusCode != status || a.Code != code {
		t.Errorf("%s: %d %s, want %d %s", what, a.StatusCode, a.body, status, code)
	}
}
