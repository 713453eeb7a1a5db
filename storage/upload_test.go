package storage_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/storage"
)

const mib = 1 << 20

// randomData returns size random bytes.
func randomData(size int) []byte {
	data := make([]byte, size)
	_, _ = rand.Read(data)
	return data
}

// onlyReader hides what else a reader can do.
type onlyReader struct{ io.Reader }

// onlySeeker can seek, but not read at any place.
type onlySeeker struct{ io.ReadSeeker }

// fileOf returns a file with data, and stands after its first skip bytes.
func fileOf(t *testing.T, data []byte, skip int64) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if _, err := f.Seek(skip, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestUploadData uploads bodies of all kinds. Each must arrive as it is, in as few calls as it
// needs.
func TestUploadData(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config())
	ctx := s.in(t, app, "me")
	data := randomData(10*mib + 345)
	stream := func(size int) io.Reader { return onlyReader{bytes.NewReader(data[:size])} }
	for i, c := range []struct {
		name  string
		body  io.Reader
		size  int64 // as the caller says it
		want  []byte
		parts int
	}{
		{"nothing", nil, 0, nil, 0},
		{"empty", strings.NewReader(""), 0, nil, 0},
		{"empty stream", stream(0), 0, nil, 0},
		{"small", bytes.NewReader(data[:10]), 10, data[:10], 0},
		{"small with a checksum", bytes.NewReader(data[:10]), 10, data[:10], 0},
		{"small stream", stream(10), 0, data[:10], 0},
		{"small stream with a checksum", stream(10), 0, data[:10], 0},
		{"small stream of a known size", stream(10), 10, data[:10], 0},
		{"byte by byte", iotest.OneByteReader(stream(1000)), -1, data[:1000], 0},
		{"ends with its data", iotest.DataErrReader(stream(1000)), -1, data[:1000], 0},
		{"one part", stream(5 * mib), 0, data[:5*mib], 0},
		{"one part that ends with its data", iotest.DataErrReader(stream(5 * mib)), 0, data[:5*mib], 0},
		{"one part of a known size", stream(5 * mib), 5 * mib, data[:5*mib], 0},
		{"a byte more", stream(5*mib + 1), 0, data[:5*mib+1], 2},
		{"a byte more of a known size", stream(5*mib + 1), 5*mib + 1, data[:5*mib+1], 2},
		{"two parts", iotest.HalfReader(stream(10 * mib)), 0, data[:10*mib], 2},
		{"stream", stream(len(data)), 0, data, 3},
		{"stream with a checksum", stream(len(data)), 0, data, 3},
		{"bytes.Buffer", bytes.NewBuffer(slices.Clone(data)), 0, data, 3},
		{"bytes.Reader with a checksum", bytes.NewReader(data), 0, data, 3},
		{"file", fileOf(t, data, 0), 0, data, 3},
		{"rest of a file with a checksum", fileOf(t, data, 100), 0, data[100:], 3},
		{"seeker", onlySeeker{bytes.NewReader(data)}, 0, data, 3},
		{"one part of a seeker", onlySeeker{bytes.NewReader(data[:100])}, 0, data[:100], 0},
		{"rest of a seeker with a checksum", onlySeeker{fileOf(t, data, 7)}, 0, data[7:], 3},
		{"pipe", pipeOf(t, data[:100]), 0, data[:100], 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.took()
			checked := 0
			s.checkHeader = func(action string, h http.Header) {
				if h.Get("X-Amz-Checksum-Crc32") != "" || action == "CREATE" && h.Get("X-Amz-Checksum-Type") == "FULL_OBJECT" {
					checked++
				}
			}
			path := fmt.Sprint(i)
			var told []storage.TransferProgress
			in := storage.UploadDataInput{
				Path: storage.Path(path), Body: c.body, Size: c.size,
				OnProgress: func(p storage.TransferProgress) { told = append(told, p) },
			}
			calls := []string{"PUT " + path}
			if c.parts > 0 {
				calls = slices.Concat([]string{"CREATE " + path}, slices.Repeat([]string{"PART " + path}, c.parts), []string{"COMPLETE " + path})
			}
			checks := 0
			if strings.HasSuffix(c.name, "checksum") {
				in.ChecksumAlgorithm, checks = "crc-32", len(calls)
			}
			out, err := storage.UploadData(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			content, _, _ := s.object(path)
			if content != string(c.want) || out.Size != int64(len(c.want)) || out.Path != path || out.ETag == "" {
				t.Errorf("%d bytes arrived of %d; %+v", len(content), len(c.want), out)
			}
			if got := s.took(); !slices.Equal(got, calls) || checked != checks {
				t.Errorf("calls %q, of which %d had a checksum; want %q and %d", got, checked, calls, checks)
			}
			if len(told) != max(1, c.parts) {
				t.Fatalf("told %v", told)
			}
			if last := told[len(told)-1]; last != (storage.TransferProgress{TransferredBytes: out.Size, TotalBytes: out.Size}) {
				t.Errorf("told %v", told)
			}
			for i := range told[1:] {
				if told[i].TransferredBytes >= told[i+1].TransferredBytes {
					t.Errorf("told %v", told)
				}
			}
			noTrace(t, s, app)
		})
	}
}

// pipeOf returns a file that is a pipe, which cannot seek.
func pipeOf(t *testing.T, data []byte) io.Reader {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	return r
}

// noTrace checks that no upload is under way, and that all memory has been given back.
func noTrace(t *testing.T, s *fakeS3, app *amplify.App) {
	t.Helper()
	if uploads, parts := s.orphans(); uploads > 0 {
		t.Errorf("%d uploads with %d parts remain", uploads, parts)
	}
	if m := storage.MemoryOf(app); m.Held() > 0 || !m.Free(20*mib) {
		t.Errorf("memory was not given back; %d bytes are held", m.Held())
	}
}

// TestUploadHeaders: an object has the same headers whether it went in parts or not.
func TestUploadHeaders(t *testing.T) {
	s := newFakeS3(t)
	ctx := s.in(t, s.app(t, config()), "me")
	for _, size := range []int{10, 6 * mib} {
		_, err := storage.UploadData(ctx, storage.UploadDataInput{
			Path: storage.Path("a.txt"), Body: onlyReader{bytes.NewReader(randomData(size))},
			ContentType: "text/x", ContentDisposition: `attachment; filename="a b"`, ContentEncoding: "br", ContentLanguage: "de",
			CacheControl: "max-age=5", Metadata: map[string]string{"Color": "red"},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, header, _ := s.object("a.txt")
		for name, want := range map[string]string{
			"Content-Type": "text/x", "Content-Disposition": `attachment; filename="a b"`, "Content-Encoding": "br",
			"Content-Language": "de", "Cache-Control": "max-age=5", "X-Amz-Meta-Color": "red",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%d bytes: %s is %q, want %q", size, name, got, want)
			}
		}
	}
	for name, in := range map[string]storage.UploadDataInput{
		`ContentDisposition is "attachment; filename=é"`: {ContentDisposition: "attachment; filename=é"},
		`ContentType is "a\r\nb: c"`:                     {ContentType: "a\r\nb: c"},
		`CacheControl is "\x7f"`:                         {CacheControl: "\x7f"},
		`Metadata has the name "a b"`:                    {Metadata: map[string]string{"a b": ""}},
		`Metadata has the name ""`:                       {Metadata: map[string]string{"": ""}},
		`Metadata has a value for "a"`:                   {Metadata: map[string]string{"a": "\n"}},
		`ChecksumAlgorithm is "md5"`:                     {ChecksumAlgorithm: "md5"},
	} {
		s.took()
		in.Path = storage.Path("b")
		_, err := storage.UploadData(ctx, in)
		if e, ok := err.(*amplify.Error); !ok || e.Name != "InvalidStorageOperationInput" || !strings.HasPrefix(e.Message, name) {
			t.Errorf("%s: %v", name, err)
		}
		if calls := s.took(); len(calls) > 0 {
			t.Errorf("%s: S3 was called: %q", name, calls)
		}
	}
}

// TestObjectLock: a bucket with a default retention refuses uploads without a checksum.
func TestObjectLock(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config())
	if err := storage.Configure(app, storage.Options{ObjectLock: true}); err != nil {
		t.Fatal(err)
	}
	var lacking []string
	s.checkHeader = func(action string, h http.Header) {
		if (action == "PUT" || action == "PART") && h.Get("Content-Md5") == "" && h.Get("X-Amz-Checksum-Crc32") == "" {
			lacking = append(lacking, action)
		}
	}
	data := randomData(6 * mib)
	for _, checksum := range []string{"", "crc-32"} {
		for _, body := range []io.Reader{bytes.NewReader(data[:10]), bytes.NewReader(data), onlyReader{bytes.NewReader(data)}} {
			_, err := storage.UploadData(s.in(t, app, "me"), storage.UploadDataInput{Path: storage.Path("a"), Body: body, ChecksumAlgorithm: checksum})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(lacking) > 0 {
		t.Errorf("without a checksum: %q", lacking)
	}
}

// TestUploadFails: what goes wrong is an error, there is no object, and nothing remains in S3 or in
// memory.
func TestUploadFails(t *testing.T) {
	failed := errors.New("failed")
	data := randomData(16 * mib)
	half := bytes.NewReader(data[:11*mib])
	body := func(more ...io.Reader) func() io.Reader {
		return func() io.Reader {
			_, _ = half.Seek(0, io.SeekStart)
			return io.MultiReader(append([]io.Reader{onlyReader{half}}, more...)...)
		}
	}
	file := func() io.Reader { return bytes.NewReader(data) }
	name := func(want string) func(error) bool {
		return func(err error) bool {
			var e *amplify.Error
			return errors.As(err, &e) && e.Name == want
		}
	}
	caused := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	refuse := func(action, code string) func(string) string {
		return func(got string) string { return map[bool]string{true: code}[got == action] }
	}
	for _, c := range []struct {
		name   string
		body   func() io.Reader
		size   int64
		refuse func(action string) string
		during func(endings)
		right  func(error) bool
		most   int // parts that may be sent
	}{
		{name: "begin refused", refuse: refuse("CREATE", "AccessDenied"), right: name("AccessDenied")},
		{name: "part refused", refuse: refuse("PART", "AccessDenied"), right: name("AccessDenied"), most: 4},
		{name: "part refused of a file", body: file, refuse: refuse("PART", "AccessDenied"), right: name("AccessDenied"), most: 4},
		{name: "service fails", refuse: refuse("PART", "InternalError"), right: name("InternalError"), most: 12},
		{name: "part fails with status 200", refuse: refuse("PART", "OK"), right: name("InternalError"), most: 12},
		{name: "end refused", refuse: refuse("COMPLETE", "AccessDenied"), right: name("AccessDenied"), most: 3},
		{name: "end fails with status 200", refuse: refuse("COMPLETE", "OK"), right: name("InternalError"), most: 3},
		{name: "put refused", body: func() io.Reader { return strings.NewReader("a") }, refuse: refuse("PUT", "AccessDenied"), right: name("AccessDenied")},
		{name: "body fails", body: body(iotest.ErrReader(failed)), right: caused(failed), most: 3},
		{name: "body fails at once", body: func() io.Reader { return iotest.ErrReader(failed) }, right: caused(failed)},
		// So end the bodies of requests whose senders hang up.
		{name: "body breaks off", body: body(iotest.ErrReader(io.ErrUnexpectedEOF)), right: caused(io.ErrUnexpectedEOF), most: 3},
		{name: "small body breaks off", body: func() io.Reader {
			return io.MultiReader(strings.NewReader("a"), iotest.ErrReader(io.ErrUnexpectedEOF))
		}, right: caused(io.ErrUnexpectedEOF)},
		{name: "body that turns out to be too short", size: 12 * mib, right: name("InvalidStorageOperationInput"), most: 3},
		{name: "body that turns out to be too long", size: 10*mib + 1, right: name("InvalidStorageOperationInput"), most: 3},
		{name: "file that is too short", body: file, size: 17 * mib, right: name("InvalidStorageOperationInput")},
		{name: "file that shrinks", body: func() io.Reader { return &shrinking{bytes.NewReader(data[:6*mib])} }, right: func(error) bool { return true }, most: 5},
		{name: "small body that is too long", body: func() io.Reader { return onlyReader{strings.NewReader("ab")} }, size: 1, right: name("InvalidStorageOperationInput")},
		{name: "small body that is too short", body: func() io.Reader { return onlyReader{strings.NewReader("ab")} }, size: 3, right: name("InvalidStorageOperationInput")},
		{name: "too long for its memory", size: 79 << 30, right: name("EntityTooLarge")},
		{name: "caller gives up", during: func(c endings) { c.cancel() }, right: caused(errGaveUp), most: 5},
		{name: "caller of a file gives up", body: file, during: func(c endings) { c.cancel() }, right: caused(errGaveUp), most: 5},
		{name: "server context closes", during: func(c endings) { c.close() }, right: caused(amplify.ErrServerContextClosed), most: 5},
		{name: "session ends", during: func(c endings) { c.end() }, right: caused(amplify.ErrUnauthenticated), most: 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newFakeS3(t)
			app := s.app(t, config())
			ctx, during := s.ending(t, app)
			parts := 0
			s.refuse = func(action, _ string) string {
				if action == "PART" {
					if parts++; parts == 2 && c.during != nil {
						c.during(during)
					}
				}
				if c.refuse == nil {
					return ""
				}
				return c.refuse(action)
			}
			if c.body == nil {
				c.body = body()
			}
			out, err := storage.UploadData(ctx, storage.UploadDataInput{Path: storage.Path("a"), Body: c.body(), Size: c.size})
			if err == nil || out != nil || !c.right(err) {
				t.Errorf("%+v, %v", out, err)
			}
			s.mu.Lock() // for calls that the service has not noticed to be gone
			if parts > c.most {
				t.Errorf("%d parts were sent", parts)
			}
			s.mu.Unlock()
			if _, _, exists := s.object("a"); exists {
				t.Error("there is an object")
			}
			noTrace(t, s, app)
		})
	}
}

// shrinking is a file that is cut off after its size has been asked for.
type shrinking struct{ *bytes.Reader }

func (s *shrinking) ReadAt(p []byte, at int64) (int, error) {
	n, err := s.Reader.ReadAt(p, at)
	if rest := 5*mib + 1000 - at; int64(n) > rest {
		return int(max(rest, 0)), io.EOF
	}
	return n, err
}

var errGaveUp = errors.New("gave up")

// endings are the ways in which a request ends.
type endings struct{ cancel, close, end func() }

// ending returns a context of a request of me, and how it ends.
func (s *fakeS3) ending(t *testing.T, app *amplify.App) (context.Context, endings) {
	t.Helper()
	life, end := context.WithCancelCause(t.Context())
	parent, cancel := context.WithCancelCause(t.Context())
	credentials := s.credentials("me")
	ctx, done := amplify.WithServerContext(parent, app, amplify.Providers{
		Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return credentials, nil }),
		Session:     keeper{life},
	})
	t.Cleanup(func() { done(); end(nil); cancel(nil) })
	return ctx, endings{
		cancel: func() { cancel(errGaveUp) },
		close:  done,
		end:    func() { end(amplify.Unauthenticated(amplify.ReasonSignedOut, nil)) },
	}
}

// TestUploadPanics: a panic of the caller's own code reaches the caller, and leaves nothing behind.
func TestUploadPanics(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config())
	ctx := s.in(t, app, "me")
	for name, in := range map[string]storage.UploadDataInput{
		"progress": {OnProgress: func(storage.TransferProgress) { panic("mine") }},
		"body":     {Body: io.MultiReader(bytes.NewReader(randomData(6*mib)), panics{})},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); p != "mine" {
					t.Errorf("recovered %v", p)
				}
				noTrace(t, s, app)
			}()
			if in.Path = storage.Path("a"); in.Body == nil {
				in.Body = onlyReader{bytes.NewReader(randomData(13 * mib))}
			}
			_, _ = storage.UploadData(ctx, in)
		})
	}
}

type panics struct{}

func (panics) Read([]byte) (int, error) { panic("mine") }

// TestAbortIsTold: the log says that parts remain, but not if the upload is gone already.
func TestAbortIsTold(t *testing.T) {
	for code, told := range map[string]bool{"AccessDenied": true, "NoSuchUpload": false} {
		s := newFakeS3(t)
		s.refuse = func(action, _ string) string {
			return map[string]string{"COMPLETE": "AccessDenied", "ABORT": code}[action]
		}
		var log bytes.Buffer
		app, err := amplify.New(config(), amplify.Options{
			Endpoints: amplify.Endpoints{Storage: s.URL}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		body := bytes.NewReader(randomData(6 * mib))
		_, err = storage.UploadData(s.in(t, app, "me"), storage.UploadDataInput{Path: storage.Path("a"), Body: body})
		if err == nil || strings.Contains(log.String(), "could not be dropped") != told {
			t.Errorf("%s: %v; the log says %q", code, err, log.String())
		}
	}
}

// TestPreventOverwrite: there is an object, or one comes while the parts are sent.
func TestPreventOverwrite(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config())
	ctx := s.in(t, app, "me")
	for name, size := range map[string]int{"put": 10, "parts": 6 * mib} {
		upload := func() error {
			_, err := storage.UploadData(ctx, storage.UploadDataInput{
				Path: storage.Path(name), Body: bytes.NewReader(randomData(size)), PreventOverwrite: true,
			})
			return err
		}
		if err := upload(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		before, _, _ := s.object(name)
		if e, ok := upload().(*amplify.Error); !ok || e.Name != "PreconditionFailed" {
			t.Errorf("%s: %v", name, e)
		}
		if after, _, _ := s.object(name); after != before {
			t.Errorf("%s: the object was replaced", name)
		}
		noTrace(t, s, app)
	}
}

// TestWriteOnly: the right to write suffices, whatever the size.
func TestWriteOnly(t *testing.T) {
	s := newFakeS3(t)
	ctx := s.in(t, s.app(t, config()), "me")
	s.refuse = func(action, _ string) string {
		return map[bool]string{false: "AccessDenied"}[slices.Contains([]string{"PUT", "CREATE", "PART", "COMPLETE"}, action)]
	}
	for _, size := range []int{10, 6 * mib} {
		_, err := storage.UploadData(ctx, storage.UploadDataInput{Path: storage.Path("a"), Body: bytes.NewReader(randomData(size))})
		if err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestUploadRepeats: an attempt that fails for the moment is repeated, from the beginning of its part,
// and so is one whose credentials have expired.
func TestUploadRepeats(t *testing.T) {
	data := randomData(6 * mib)
	for _, c := range []struct{ code, action string }{{"InternalError", "PART"}, {"InternalError", "PUT"}, {"ExpiredToken", "PART"}, {"ExpiredToken", "PUT"}} {
		for name, body := range map[string]func([]byte) io.Reader{
			"stream": func(b []byte) io.Reader { return onlyReader{bytes.NewReader(b)} },
			"file":   func(b []byte) io.Reader { return bytes.NewReader(b) },
		} {
			t.Run(fmt.Sprint(c, name), func(t *testing.T) {
				s := newFakeS3(t)
				app := s.app(t, config())
				refused := 0
				s.refuse = func(action, _ string) string {
					if action == c.action && refused < 2 {
						refused++
						return c.code
					}
					return ""
				}
				sent := data
				if c.action == "PUT" {
					sent = data[:1000]
				}
				if c.code == "ExpiredToken" {
					refused = 1
				}
				_, err := storage.UploadData(s.in(t, app, "me"), storage.UploadDataInput{Path: storage.Path("a"), Body: body(sent)})
				if content, _, _ := s.object("a"); err != nil || content != string(sent) || refused != 2 {
					t.Errorf("%v; %d bytes, refused %d times", err, len(content), refused)
				}
				noTrace(t, s, app)
			})
		}
	}
}

// TestUploadsShareMemory: many uploads at once, each of which wants several buffers, all end, and hold
// no more than their App allows.
func TestUploadsShareMemory(t *testing.T) {
	const limit = 20 * mib
	s := newFakeS3(t)
	app := s.app(t, config())
	if err := storage.Configure(app, storage.Options{UploadMemory: limit}); err != nil {
		t.Fatal(err)
	}
	var most int64
	s.refuse = func(string, string) string { // one at a time
		most = max(most, storage.MemoryOf(app).Held())
		return ""
	}
	data := randomData(11 * mib)
	ctx := s.in(t, app, "me")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			path := storage.Path(fmt.Sprint(i))
			if _, err := storage.UploadData(ctx, storage.UploadDataInput{Path: path, Body: onlyReader{bytes.NewReader(data)}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most > limit || most < limit/2 {
		t.Errorf("%d bytes were held of %d", most, limit)
	}
	for i := range 8 {
		if content, _, _ := s.object(fmt.Sprint(i)); content != string(data) {
			t.Errorf("object %d is another", i)
		}
	}
	noTrace(t, s, app)
}

// TestUploadsWithoutMemory: bodies that can seek take none, and small ones little.
func TestUploadsWithoutMemory(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config())
	ctx := s.in(t, app, "me")
	m := storage.MemoryOf(app)
	release, err := m.Reserve(ctx, 32*mib)
	if err != nil {
		t.Fatal(err)
	}
	data := randomData(6 * mib)
	for _, body := range []io.Reader{bytes.NewReader(data), onlySeeker{bytes.NewReader(data)}, fileOf(t, data, 0)} {
		if _, err := storage.UploadData(ctx, storage.UploadDataInput{Path: storage.Path("a"), Body: body}); err != nil {
			t.Error(err)
		}
	}
	release()
	s.refuse = func(string, string) string {
		if m.Held() > mib/4 || !m.Free(32*mib-mib/4) {
			t.Errorf("%d bytes are held for a small body", m.Held())
		}
		return ""
	}
	if _, err := storage.UploadData(ctx, storage.UploadDataInput{Path: storage.Path("a"), Body: onlyReader{strings.NewReader("a")}}); err != nil {
		t.Error(err)
	}
	// One of a known size reserves no more from the beginning.
	release, err = m.Reserve(ctx, 32*mib-mib/4)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	s.refuse = nil
	if _, err := storage.UploadData(ctx, storage.UploadDataInput{Path: storage.Path("a"), Body: onlyReader{strings.NewReader("a")}, Size: 1}); err != nil {
		t.Error(err)
	}
}

// TestSlowBodies: those that come slowly lose their memory to those that wait, and only to them.
func TestSlowBodies(t *testing.T) {
	for _, c := range []struct {
		name    string
		pause   time.Duration // between bytes
		waiting bool
		fails   bool
	}{
		{"alone", 50 * time.Second, false, false},
		{"fast enough", 20 * time.Second, true, false},
		{"while others wait", 50 * time.Second, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := storage.NewMemory(20 * mib)
				release, err := m.Reserve(t.Context(), 15*mib)
				if err != nil {
					t.Fatal(err)
				}
				done := make(chan error)
				go func() {
					body := slow{strings.NewReader("slow"), c.pause, t.Context()}
					done <- m.ReadPart(t.Context(), storage.FirstPart, body)
				}()
				synctest.Wait()
				var others sync.WaitGroup
				if c.waiting {
					others.Go(func() {
						release, err := m.Reserve(t.Context(), mib)
						if err != nil {
							t.Error(err)
							return
						}
						release()
					})
				}
				err = <-done
				if e, ok := err.(*amplify.Error); c.fails != (ok && e.Name == "RequestTimeout") || !c.fails && err != nil {
					t.Errorf("%v", err)
				}
				release()
				others.Wait()
			})
		})
	}
}

// TestMemoryIsServedInOrder: who waits for much is not overtaken by those that want little, and who
// gives up leaves the queue.
func TestMemoryIsServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := storage.NewMemory(20 * mib)
		release, err := m.Reserve(t.Context(), 16*mib)
		if err != nil {
			t.Fatal(err)
		}
		impatient, giveUp := context.WithCancelCause(t.Context())
		order := make(chan string, 10)
		ask := func(ctx context.Context, name string, size int64) {
			go func() {
				release, err := m.Reserve(ctx, size)
				if err != nil {
					order <- fmt.Sprint(name, ": ", err)
					return
				}
				order <- name
				release()
			}()
			synctest.Wait()
		}
		ask(t.Context(), "much", 20*mib)
		ask(impatient, "impatient", mib)
		ask(t.Context(), "little", mib)
		giveUp(errGaveUp)
		synctest.Wait()
		release()
		synctest.Wait()
		close(order)
		var got []string
		for name := range order {
			got = append(got, name)
		}
		if want := []string{"impatient: gave up", "much", "little"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestPartSizes: how long a body may be. These numbers are in the documentation of the options.
func TestPartSizes(t *testing.T) {
	for memory, gib := range map[int64]int64{20 * mib: 48, 32 * mib: 75, 64 * mib: 139, 256 * mib: 448} {
		m := storage.NewMemory(memory)
		var longest int64
		for number := int32(1); number <= 10_000; number++ {
			size := m.PartSize(number)
			if longest += size; size < 5*mib || size > memory/4 || number <= 1000 && size != 5*mib {
				t.Fatalf("part %d of memory of %d bytes has %d", number, memory, size)
			}
		}
		if longest>>30 != gib {
			t.Errorf("the longest body of memory of %d bytes has %d", memory, longest)
		}
	}
	for size, want := range map[int64]int64{1: 5 * mib, 50_000 * mib: 5 * mib, 50_000*mib + 1: 10 * mib, 5 << 40: 640 * mib} {
		if got := storage.KnownPart(size); got != want {
			t.Errorf("parts of %d bytes have %d, want %d", size, got, want)
		}
	}
	m := storage.NewMemory(20 * mib)
	if err := m.ReadPart(t.Context(), storage.LastPart, onlyReader{bytes.NewReader(randomData(5 * mib))}); err != nil {
		t.Error(err)
	}
	err := m.ReadPart(t.Context(), storage.LastPart, onlyReader{bytes.NewReader(randomData(5*mib + 1))})
	if e, ok := err.(*amplify.Error); !ok || e.Name != "EntityTooLarge" || !strings.Contains(e.RecoverySuggestion, "UploadMemory") || m.Held() > 0 {
		t.Errorf("%v", err)
	}
}
