package storage_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/storage"
)

// cutS3 is an S3 with one object, whose connections break.
type cutS3 struct {
	*httptest.Server
	// next returns how many bytes of the n-th answer are sent before the connection breaks: all if
	// it is negative. May be nil.
	next func(n int) int
	// change changes the n-th answer before it is sent. It reports whether it has sent another one. May
	// be nil.
	change func(n int, w http.ResponseWriter, r *http.Request) (sent bool)

	mu      sync.Mutex
	content []byte
	asked   []string // Range and If-Match of the calls
}

func newCutS3(t testing.TB, content []byte) *cutS3 {
	t.Helper()
	s := &cutS3{content: content}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *cutS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	content := s.content
	s.asked = append(s.asked, strings.TrimSpace(r.Header.Get("Range")+" "+r.Header.Get("If-Match")))
	n := len(s.asked)
	s.mu.Unlock()
	w.Header().Set("ETag", fmt.Sprintf("\"%x\"", sha256.Sum256(content)))
	w.Header().Set("Content-Type", "text/plain")
	if s.change != nil && s.change(n, w, r) {
		return
	}
	cut := &cutWriter{w, -1}
	if s.next != nil {
		cut.rest = s.next(n)
	}
	http.ServeContent(cut, r, "", time.Unix(1_700_000_000, 0), bytes.NewReader(content))
}

// cutWriter breaks a connection after some bytes of the body.
type cutWriter struct {
	http.ResponseWriter
	rest int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if w.rest < 0 {
		return w.ResponseWriter.Write(p)
	}
	n, _ := w.ResponseWriter.Write(p[:min(len(p), w.rest)])
	if w.rest -= n; n < len(p) {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// app returns an App whose S3 is s.
func (s *cutS3) app(t testing.TB) (*amplify.App, *fakeS3) {
	f := &fakeS3{Server: s.Server, secrets: secrets{}}
	return f.app(t, config()), f
}

// in returns a context of a request.
func (s *cutS3) in(t testing.TB) context.Context {
	t.Helper()
	app, f := s.app(t)
	return f.in(t, app, "me")
}

// TestDownloadData downloads whole objects and parts of them.
func TestDownloadData(t *testing.T) {
	data := randomData(100_000)
	for _, c := range []struct {
		name           string
		content        []byte
		offset, length int64
		want           []byte
		asked          string
	}{
		{"all", data, 0, 0, data, ""},
		{"empty", nil, 0, 0, nil, ""},
		{"beginning", data, 0, 10, data[:10], "bytes=0-9"},
		{"middle", data, 5, 10, data[5:15], "bytes=5-14"},
		{"end", data, 99_990, 0, data[99_990:], "bytes=99990-"},
		{"beyond the end", data, 99_990, 100, data[99_990:], "bytes=99990-100089"},
		{"all by length", data, 0, 100_000, data, "bytes=0-99999"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newCutS3(t, c.content)
			var told storage.TransferProgress
			out, err := storage.DownloadData(s.in(t), storage.DownloadDataInput{
				Path: storage.Path("a"), Offset: c.offset, Length: c.length,
				OnProgress: func(p storage.TransferProgress) { told = p },
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(out.Body)
			if err != nil || !bytes.Equal(got, c.want) {
				t.Errorf("%d bytes of %d, %v", len(got), len(c.want), err)
			}
			length := int64(len(c.want))
			if out.Length != length || out.Size != int64(len(c.content)) || out.ContentType != "text/plain" || out.ETag == "" || out.Path != "a" {
				t.Errorf("%+v", out)
			}
			if length > 0 && told != (storage.TransferProgress{TransferredBytes: length, TotalBytes: length}) {
				t.Errorf("told %+v", told)
			}
			if !slices.Equal(s.asked, []string{c.asked}) {
				t.Errorf("asked %q", s.asked)
			}
			if err := out.Body.Close(); err != nil {
				t.Error(err)
			}
			if _, err := out.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
				t.Errorf("after Close: %v", err)
			}
		})
	}
	s := newCutS3(t, data)
	ctx := s.in(t)
	for name, in := range map[string]storage.DownloadDataInput{
		"InvalidStorageOperationInput": {Offset: -1}, "RequestedRangeNotSatisfiable": {Offset: 100_000},
	} {
		in.Path = storage.Path("a")
		if e, ok := func() (*amplify.Error, bool) {
			_, err := storage.DownloadData(ctx, in)
			e, ok := err.(*amplify.Error)
			return e, ok
		}(); !ok || e.Name != name {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// TestDownloadReader: the body keeps the rules of an io.Reader.
func TestDownloadReader(t *testing.T) {
	data := randomData(50_000)
	s := newCutS3(t, data)
	s.next = func(n int) int { return 20_000 }
	out, err := storage.DownloadData(s.in(t), storage.DownloadDataInput{Path: storage.Path("a")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if err := iotest.TestReader(out.Body, data); err != nil {
		t.Error(err)
	}
}

// TestDownloadHeaders: a download has the headers of the upload.
func TestDownloadHeaders(t *testing.T) {
	s := newCutS3(t, []byte("a"))
	s.change = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		for name, value := range map[string]string{
			"Content-Disposition": "inline", "Content-Language": "de", "Cache-Control": "no-cache", "X-Amz-Meta-Color": "red", "X-Amz-Version-Id": "v",
		} {
			w.Header().Set(name, value)
		}
		return false
	}
	out, err := storage.DownloadData(s.in(t), storage.DownloadDataInput{Path: storage.Path("a")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if out.ContentDisposition != "inline" || out.ContentLanguage != "de" || out.CacheControl != "no-cache" || out.Metadata["color"] != "red" ||
		out.VersionID != "v" || out.LastModified.Unix() != 1_700_000_000 {
		t.Errorf("%+v", out)
	}
}

// TestDownloadResumes breaks connections at random places. What comes in the end is the object.
func TestDownloadResumes(t *testing.T) {
	data := randomData(2 * mib)
	for range 5 {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		offset, length := random.Int64N(1000), random.Int64N(2*mib-1000)
		s := newCutS3(t, data)
		s.next = func(n int) int {
			if n%3 == 0 {
				return 0 // nothing comes
			}
			return random.IntN(300_000)
		}
		out, err := storage.DownloadData(s.in(t), storage.DownloadDataInput{Path: storage.Path("a"), Offset: offset, Length: length})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(out.Body)
		out.Body.Close()
		want := data[offset:]
		if length > 0 {
			want = data[offset : offset+length]
		}
		if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
			t.Errorf("seed %d: %d bytes of %d, %v", seed, len(got), len(want), err)
		}
		for _, asked := range s.asked[1:] {
			if !strings.Contains(asked, `"`) {
				t.Errorf("seed %d: the rest was asked for without If-Match: %q", seed, asked)
			}
		}
	}
}

// TestDownloadFails: a body that cannot go on is an error, and never seems to be complete. What came
// before is of the object.
func TestDownloadFails(t *testing.T) {
	data := randomData(100_000)
	const broken = 30_000
	first := func(n int) int { return map[bool]int{true: broken, false: -1}[n == 1] }
	name := func(want string) func(error) bool {
		return func(err error) bool {
			var e *amplify.Error
			return errors.As(err, &e) && e.Name == want
		}
	}
	for _, c := range []struct {
		name   string
		next   func(n int) int
		change func(s *cutS3, n int, w http.ResponseWriter, r *http.Request) bool
		right  func(error) bool
		calls  int
	}{
		{name: "nothing more comes", next: func(n int) int { return map[bool]int{true: broken}[n == 1] }, calls: 4,
			right: func(err error) bool {
				return name("NetworkError")(err) && errors.Is(err, io.ErrUnexpectedEOF) && amplify.ReasonOf(err) == amplify.ReasonServiceUnavailable
			}},
		{name: "the object has changed", next: first, calls: 2, right: name("PreconditionFailed"),
			change: func(s *cutS3, n int, _ http.ResponseWriter, _ *http.Request) bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.content = randomData(100_000) // for the next call
				return false
			}},
		{name: "a service that does not know If-Match", next: first, calls: 2, right: name("Unknown"),
			change: func(s *cutS3, n int, w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Del("If-Match"); n == 2 {
					w.Header().Set("ETag", `"other"`)
				}
				return false
			}},
		{name: "a service that does not know ranges", next: first, calls: 2, right: name("Unknown"),
			change: func(_ *cutS3, _ int, _ http.ResponseWriter, r *http.Request) bool {
				r.Header.Del("Range")
				return false
			}},
		{name: "another range", next: first, calls: 2, right: name("Unknown"),
			change: func(_ *cutS3, n int, _ http.ResponseWriter, r *http.Request) bool {
				if n == 2 {
					r.Header.Set("Range", "bytes=40000-99999")
				}
				return false
			}},
		{name: "a service without ETags", next: first, calls: 1, right: name("NetworkError"),
			change: func(_ *cutS3, _ int, w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Del("ETag")
				return false
			}},
		{name: "refused", next: first, calls: 2, right: name("AccessDenied"),
			change: func(_ *cutS3, n int, w http.ResponseWriter, r *http.Request) bool {
				if n == 2 {
					fail(w, r, http.StatusForbidden, "AccessDenied", "Access Denied")
				}
				return n == 2
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newCutS3(t, data)
			s.next = c.next
			s.change = func(n int, w http.ResponseWriter, r *http.Request) bool {
				return c.change != nil && c.change(s, n, w, r)
			}
			out, err := storage.DownloadData(s.in(t), storage.DownloadDataInput{Path: storage.Path("a")})
			if err != nil {
				t.Fatal(err)
			}
			defer out.Body.Close()
			got, err := io.ReadAll(out.Body)
			if !c.right(err) || !bytes.Equal(got, data[:broken]) || len(s.asked) != c.calls {
				t.Errorf("%d bytes after %d calls, %v", len(got), len(s.asked), err)
			}
			if _, again := out.Body.Read(make([]byte, 1)); again != err {
				t.Errorf("the next time: %v", again)
			}
		})
	}
}

// TestDownloadAnswers: a first answer that is not the one to the call is an error.
func TestDownloadAnswers(t *testing.T) {
	data := randomData(1000)
	for name, got := range map[string]string{"ranges are not known": "", "another range": "bytes=11-19", "a longer range": "bytes=10-20"} {
		s := newCutS3(t, data)
		s.change = func(_ int, _ http.ResponseWriter, r *http.Request) bool { r.Header.Set("Range", got); return false }
		_, err := storage.DownloadData(s.in(t), storage.DownloadDataInput{Path: storage.Path("a"), Offset: 10, Length: 10})
		if e, ok := err.(*amplify.Error); !ok || e.Name != "Unknown" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, header := range map[string]http.Header{"no length": {}, "the middle": {"Content-Length": {"1"}, "Content-Range": {"bytes 0-0/2"}}} {
		network := roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader("a")), ContentLength: -1, Request: r}, nil
		})
		_, err := storage.DownloadData(on(t, network), storage.DownloadDataInput{Path: storage.Path("a")})
		if e, ok := err.(*amplify.Error); !ok || e.Name != "Unknown" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDownloadErrorBreaksOff: the call is repeated. Its error is the one that S3 sent, or says that
// none came.
func TestDownloadErrorBreaksOff(t *testing.T) {
	for broken, want := range map[int]string{1: "AccessDenied", 2: "AccessDenied", 3: "NetworkError"} {
		s := newCutS3(t, nil)
		s.change = func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n <= broken {
				w.Header().Set("Content-Length", "1000")
			}
			fail(w, r, http.StatusForbidden, "AccessDenied", "Access Denied")
			return true
		}
		_, err := storage.DownloadData(s.in(t), storage.DownloadDataInput{Path: storage.Path("a")})
		if e, ok := err.(*amplify.Error); !ok || e.Name != want || len(s.asked) != min(broken+1, 3) {
			t.Errorf("%d broken answers: %v after %d calls", broken, err, len(s.asked))
		}
	}
}

// TestDownloadEnds: a body ends with the request that it belongs to.
func TestDownloadEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(endings)
		want error
	}{
		"caller gives up":       {func(e endings) { e.cancel() }, errGaveUp},
		"server context closes": {func(e endings) { e.close() }, amplify.ErrServerContextClosed},
		"session ends":          {func(e endings) { e.end() }, amplify.ErrUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			s := newCutS3(t, randomData(10*mib))
			app, f := s.app(t)
			ctx, e := f.ending(t, app)
			out, err := storage.DownloadData(ctx, storage.DownloadDataInput{Path: storage.Path("a")})
			if err != nil {
				t.Fatal(err)
			}
			defer out.Body.Close()
			if _, err := io.ReadFull(out.Body, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			c.end(e)
			if n, err := io.Copy(io.Discard, out.Body); !errors.Is(err, c.want) || n > 9*mib {
				t.Errorf("%d bytes, %v", n, err)
			}
			if len(s.asked) != 1 {
				t.Errorf("asked %q", s.asked)
			}
		})
	}
}

// transport is a network whose answers have a body of their own.
type transport struct {
	body  func(n int, r *http.Request) io.Reader
	total int
	calls int
}

func (s *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	s.calls++
	h := http.Header{"Etag": {`"e"`}, "Content-Length": {strconv.Itoa(s.total)}}
	resp := &http.Response{StatusCode: 200, ContentLength: int64(s.total), Header: h, Request: r}
	var from, last int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &last); err == nil {
		resp.StatusCode, resp.ContentLength = 206, int64(s.total-from)
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, s.total-1, s.total))
		h.Set("Content-Length", strconv.Itoa(s.total-from))
	}
	body := s.body(s.calls, r)
	if body == nil {
		return nil, r.Context().Err()
	}
	resp.Body = io.NopCloser(body)
	return resp, nil
}

// on returns a context of a request in an App on a network.
func on(t *testing.T, network http.RoundTripper) context.Context {
	t.Helper()
	app, err := amplify.New(config(), amplify.Options{HTTPClient: &http.Client{Transport: network}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{
		Credentials: credentialsFunc(func() (*amplify.Credentials, error) {
			return &amplify.Credentials{AccessKeyID: "A", SecretAccessKey: amplify.NewSecret("s"), IdentityID: "me"}, nil
		}),
	})
	t.Cleanup(done)
	return ctx
}

// slow gives a byte after each pause.
type slow struct {
	io.Reader
	pause time.Duration
	ctx   context.Context
}

func (s slow) Read(p []byte) (int, error) {
	select {
	case <-time.After(s.pause):
		return s.Reader.Read(p[:1])
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}

// TestSlowTransfers: what is slow goes on for as long as it takes, and what stands still ends.
func TestSlowTransfers(t *testing.T) {
	const timeout = storage.IdleTimeout
	download := func(t *testing.T, s *transport, pause time.Duration) ([]byte, error) {
		out, err := storage.DownloadData(on(t, s), storage.DownloadDataInput{Path: storage.Path("a")})
		if err != nil {
			return nil, err
		}
		defer out.Body.Close()
		time.Sleep(pause)
		return io.ReadAll(out.Body)
	}
	alive := func(_ int, r *http.Request) io.Reader {
		return slow{strings.NewReader("slowly"), timeout - time.Second, r.Context()}
	}
	t.Run("slow download", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &transport{body: alive, total: 6}
			if got, err := download(t, s, time.Hour); string(got) != "slowly" || err != nil || s.calls != 1 {
				t.Errorf("%q after %d calls, %v", got, s.calls, err)
			}
		})
	})
	t.Run("download that stands still", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &transport{total: 6, body: func(n int, r *http.Request) io.Reader {
				if n == 1 {
					return io.MultiReader(strings.NewReader("slo"), slow{strings.NewReader("wly"), timeout + time.Second, r.Context()})
				}
				return strings.NewReader("wly")
			}}
			if got, err := download(t, s, 0); string(got) != "slowly" || err != nil || s.calls != 2 {
				t.Errorf("%q after %d calls, %v", got, s.calls, err)
			}
		})
	})
	t.Run("body that ends when it is closed, as if it were complete", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &transport{total: 6, body: func(n int, r *http.Request) io.Reader {
				if n == 1 {
					return io.MultiReader(strings.NewReader("slo"), untilClosed{r.Context()})
				}
				return strings.NewReader("wly")
			}}
			if got, err := download(t, s, 0); string(got) != "slowly" || err != nil || s.calls != 2 {
				t.Errorf("%q after %d calls, %v", got, s.calls, err)
			}
		})
	})
	upload := func(t *testing.T, pause time.Duration) (*transport, error) {
		s := &transport{body: func(_ int, r *http.Request) io.Reader {
			_, err := io.ReadAll(slow{r.Body, pause, r.Context()})
			if err != nil {
				return nil
			}
			return strings.NewReader("")
		}}
		_, err := storage.UploadData(on(t, s), storage.UploadDataInput{Path: storage.Path("a"), Body: strings.NewReader("slowly")})
		return s, err
	}
	t.Run("slow upload", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			if s, err := upload(t, timeout-time.Second); err != nil || s.calls != 1 {
				t.Errorf("%d calls, %v", s.calls, err)
			}
		})
	})
	t.Run("upload that stands still", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, err := upload(t, timeout+time.Second)
			if e, ok := err.(*amplify.Error); !ok || e.Reason != amplify.ReasonServiceUnavailable || s.calls != 3 {
				t.Errorf("%d calls, %v", s.calls, err)
			}
		})
	})
}

// untilClosed is a body that ends with its request, without an error.
type untilClosed struct{ ctx context.Context }

func (u untilClosed) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, io.EOF
}

// TestDownloadErrorIsBounded: an answer that is an error is not read without end.
func TestDownloadErrorIsBounded(t *testing.T) {
	endless := &counter{}
	network := roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(endless), ContentLength: -1, Request: r}, nil
	})
	if _, err := storage.DownloadData(on(t, network), storage.DownloadDataInput{Path: storage.Path("a")}); err == nil || endless.n > 64*mib {
		t.Errorf("%d bytes were read, %v", endless.n, err)
	}
}

// counter is an endless body.
type counter struct{ n int }

func (c *counter) Read(p []byte) (int, error) {
	clear(p)
	c.n += len(p)
	return len(p), nil
}
