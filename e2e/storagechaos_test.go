package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/storage"
)

// Three in ten calls of S3 fail, in each way that there is, and three in ten are slow. Every
// transfer is right or has an error: a download never has other bytes, an upload that fails leaves
// the old object or the whole new one, and no parts.
func TestStorageChaos(t *testing.T) {
	const (
		share   = 0.3
		workers = 4
		steps   = 30 // of each worker
	)
	d := startDrive(t, sandbox.Config{StorageAdmin: true, DataDir: t.TempDir()})
	admin := d.storageAdmin(t)
	var left partsLeft
	server := newVisitors(t, d.Outputs(), amplify.Options{Logger: slog.New(&left)})
	server.cookies = d.cookies

	// The first that strikes is the last, so that together they come to the share.
	outcomes := faults.Outcomes()
	each := 1 - math.Pow(1-share, 1/float64(len(outcomes)))
	operations := []string{
		"PutObject", "GetObject", "CopyObject", "DeleteObject", "DeleteObjects", "ListObjectsV2",
		"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload",
	}
	for _, operation := range operations {
		all := []faults.Fault{{Latency: 20 * time.Millisecond, Probability: share}}
		for _, o := range outcomes {
			all = append(all, faults.Fault{Outcome: o, Probability: each})
		}
		for _, f := range all {
			f.Operation = operation
			if _, err := d.Faults().Add(f); err != nil {
				t.Fatal(err)
			}
		}
	}

	var shelves []*shelf
	tally := newTally()
	var working sync.WaitGroup
	for worker := range workers {
		s := &shelf{
			t: t, tally: tally, folder: fmt.Sprintf("worker %d/", worker),
			random: rand.New(rand.NewPCG(1, uint64(worker))), may: map[string]contents{},
		}
		shelves = append(shelves, s)
		working.Go(func() {
			server.as(t, ada, func(ctx context.Context) {
				for _, name := range shelfNames {
					s.upload(ctx, name)
				}
				for range steps {
					s.step(ctx)
				}
			})
		})
	}
	working.Wait()
	calls, struck := 0, 0
	for _, operation := range operations {
		calls += d.Calls()[operation]
	}
	for _, f := range d.Faults().List() {
		if f.Fault.Outcome != "" {
			struck += f.Struck
		}
	}
	d.Faults().Clear()

	d.as(t, ada, func(ctx context.Context) {
		for _, s := range shelves {
			s.check(ctx)
		}
	})
	orphans := orphans(t, admin)
	if warned := int(left.Load()); orphans > warned {
		t.Errorf("%d failed uploads have left parts, and %d say so", orphans, warned)
	}
	t.Logf("%d of %d calls failed; %d failed uploads have left parts, and say so",
		struck, calls, orphans)
	t.Log(tally)
	for what := range tally.failed {
		// What is not an error of S3 is one of the network.
		if strings.HasSuffix(what, " Unknown") || strings.HasSuffix(what, " other") {
			t.Errorf("%s is an error that says nothing", what)
		}
	}
	if tally.right["upload"] == 0 || tally.right["download"] == 0 || len(tally.failed) == 0 {
		t.Error("everything failed, or nothing did")
	}
}

// An upload of which all parts have arrived cannot be completed. It leaves the old object, or the
// whole new one where only the answer was lost, and no parts.
func TestStorageCannotComplete(t *testing.T) {
	d := startDrive(t, sandbox.Config{StorageAdmin: true})
	admin := d.storageAdmin(t)
	for _, outcome := range faults.Outcomes() {
		t.Run(string(outcome), func(t *testing.T) {
			d.as(t, ada, func(ctx context.Context) {
				d.Faults().Clear()
				upload(t, ctx, private("a"), strings.NewReader("old"))
				_, err := d.Faults().Add(faults.Fault{
					Operation: "CompleteMultipartUpload", Outcome: outcome,
				})
				if err != nil {
					t.Fatal(err)
				}
				next := randomBytes(t, 1, 6<<20)
				_, err = storage.UploadData(ctx, storage.UploadDataInput{
					Path: private("a"), Body: bytes.NewReader(next),
				})
				if _, ok := errors.AsType[*amplify.Error](err); !ok {
					t.Errorf("UploadData: %v", err)
				}
				want := []byte("old")
				if outcome == faults.DropAfter {
					want = next
				}
				if got := download(t, ctx, private("a")); !bytes.Equal(got, want) {
					t.Errorf("the object has %d bytes, want %d", len(got), len(want))
				}
				if n := orphans(t, admin); n > 0 {
					t.Errorf("%d failed uploads have left parts", n)
				}
			})
		})
	}
}

// storageAdmin returns the administrator's client for S3.
func (d *drive) storageAdmin(t testing.TB) *s3.Client {
	t.Helper()
	key, ok := d.StorageAdmin()
	if !ok {
		t.Fatal("there is no administrator's key")
	}
	return newS3Client(d.URL(), aws.Credentials{
		AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey,
	})
}

// orphans returns how many uploads that nobody sends any more have parts. One without parts is an
// upload whose beginning had no answer.
func orphans(t testing.TB, admin *s3.Client) (n int) {
	t.Helper()
	for id, key := range underWay(t, admin) {
		list, err := admin.ListParts(t.Context(), &s3.ListPartsInput{
			Bucket: aws.String(driveBucket), Key: &key, UploadId: &id,
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Parts) > 0 {
			n++
		}
	}
	return n
}

// partsLeft counts the log's warnings that parts could not be dropped.
type partsLeft struct{ atomic.Int64 }

func (l *partsLeft) Enabled(context.Context, slog.Level) bool { return true }
func (l *partsLeft) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *partsLeft) WithGroup(string) slog.Handler            { return l }
func (l *partsLeft) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "could not be dropped") {
		l.Add(1)
	}
	return nil
}

// tally counts how operations end.
type tally struct {
	mu     sync.Mutex
	right  map[string]int // by operation
	failed map[string]int // by operation and error
}

func newTally() *tally { return &tally{right: map[string]int{}, failed: map[string]int{}} }

// count counts an operation, and tells whether it has ended right.
func (c *tally) count(operation string, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.right[operation]++
		return true
	}
	name := "other"
	if e, ok := errors.AsType[*amplify.Error](err); ok {
		name = e.Name
	}
	c.failed[operation+" "+name]++
	return false
}

func (c *tally) String() string {
	return fmt.Sprintf("right: %v\nwith an error: %v", c.right, c.failed)
}

// written is what an object may be: the nth that was written under a name. The zero value is none.
type written struct {
	name string
	n    int
}

// objectSizes are the sizes of objects: empty, small, and around one and two parts.
var objectSizes = []int{0, 1, 1000, 5<<20 - 1, 5 << 20, 5<<20 + 1, 10 << 20, 12<<20 + 17}

func (o written) size() int { return objectSizes[o.n%len(objectSizes)] }

func (o written) bytes(t testing.TB) []byte { return version(t, o.name, o.n, o.size()) }

// contents are what an object may be. There is one unless calls have failed.
type contents map[written]bool

// or adds what an object may have become by a call that has failed.
func (c contents) or(others contents) contents {
	both := maps.Clone(c)
	maps.Copy(both, others)
	return both
}

// shelf is a folder in which one worker does what comes to its mind.
type shelf struct {
	t      *testing.T
	tally  *tally
	folder string
	random *rand.Rand
	last   int
	may    map[string]contents // by name
}

// shelfNames are the objects that are uploaded. There may be a copy of each.
var shelfNames = []string{"a", "b", "c", "d"}

func (s *shelf) path(name string) storage.ObjectPath { return private(s.folder + name) }

// is returns what the object with that name may be.
func (s *shelf) is(name string) contents {
	if c, ok := s.may[name]; ok {
		return c
	}
	return contents{written{}: true}
}

// becomes notes what an operation has made of an object, unless it has failed.
func (s *shelf) becomes(operation, name string, c contents, err error) {
	if !s.tally.count(operation, err) {
		c = s.is(name).or(c)
	}
	s.may[name] = c
}

func (s *shelf) step(ctx context.Context) {
	name := shelfNames[s.random.IntN(len(shelfNames))]
	switch s.random.IntN(40) {
	default:
		s.upload(ctx, name)
	case 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29:
		s.download(ctx, name)
	case 30, 31, 32:
		s.list(ctx)
	case 33, 34, 35, 36:
		to := name + " copy"
		_, err := storage.Copy(ctx, storage.CopyInput{
			Source:      storage.CopySource{Path: s.path(name)},
			Destination: storage.CopyDestination{Path: s.path(to)},
		})
		source := maps.Clone(s.is(name))
		delete(source, written{}) // it was there, or the copy has failed
		s.becomes("copy", to, source, err)
	case 37, 38:
		_, err := storage.Remove(ctx, storage.RemoveInput{Path: s.path(name)})
		s.becomes("removal", name, contents{written{}: true}, err)
	case 39:
		_, err := storage.Remove(ctx, storage.RemoveInput{Path: s.path("")})
		for name := range s.may {
			s.becomes("removal of a folder", name, contents{written{}: true}, err)
		}
	}
}

// upload uploads a stream, a body that can seek, or one that can be read at any place.
func (s *shelf) upload(ctx context.Context, name string) {
	s.last++
	next := written{s.folder + name, s.last}
	reader := bytes.NewReader(next.bytes(s.t))
	in := storage.UploadDataInput{Path: s.path(name), Body: reader}
	switch s.random.IntN(3) {
	case 0:
		in.Body = struct{ io.Reader }{reader}
	case 1:
		in.Body = struct{ io.ReadSeeker }{reader}
	}
	if s.random.IntN(2) == 0 {
		in.ChecksumAlgorithm = "crc-32"
	}
	_, err := storage.UploadData(ctx, in)
	s.becomes("upload", name, contents{next: true}, err)
}

// download downloads an object, or a part of one.
func (s *shelf) download(ctx context.Context, name string) {
	in := storage.DownloadDataInput{Path: s.path(name)}
	if s.random.IntN(2) == 0 {
		in.Offset = s.random.Int64N(7 << 20)
		in.Length = s.random.Int64N(7 << 20)
	}
	var data []byte
	out, err := storage.DownloadData(ctx, in)
	if err == nil {
		data, err = io.ReadAll(out.Body)
		out.Body.Close()
	}
	if !s.tally.count("download", err) {
		if hasName(err, "AccessDenied") && !s.is(name)[written{}] {
			s.t.Errorf("%s%s is %v: %v", s.folder, name, s.is(name), err)
		}
		return
	}
	for o := range s.is(name) {
		if o == (written{}) {
			continue
		}
		want := o.bytes(s.t)
		want = want[min(in.Offset, int64(len(want))):]
		if in.Length > 0 {
			want = want[:min(in.Length, int64(len(want)))]
		}
		if bytes.Equal(data, want) && out.Size == int64(o.size()) {
			return
		}
	}
	s.t.Errorf("%s%s from %d, length %d: other %d bytes of %d than those of %v",
		s.folder, name, in.Offset, in.Length, len(data), out.Size, s.is(name))
}

// list compares the list of the folder with what may be there.
func (s *shelf) list(ctx context.Context) {
	sizes := map[string]int64{}
	var err error
	for item, e := range storage.ListAll(ctx, storage.ListInput{Path: s.path(""), PageSize: 3}) {
		if err = e; err != nil {
			break
		}
		sizes[item.Path[strings.LastIndex(item.Path, "/")+1:]] = item.Size
	}
	if !s.tally.count("list", err) {
		return
	}
	for name := range s.may {
		size, there := sizes[name]
		delete(sizes, name)
		if !slices.ContainsFunc(slices.Collect(maps.Keys(s.is(name))), func(o written) bool {
			return there == (o != written{}) && (!there || size == int64(o.size()))
		}) {
			s.t.Errorf("%s%s is listed: %v, with %d bytes; it may be %v",
				s.folder, name, there, size, s.is(name))
		}
	}
	if len(sizes) > 0 {
		s.t.Errorf("%s: what is %v?", s.folder, sizes)
	}
}

// check tells whether everything is what it may be, without faults.
func (s *shelf) check(ctx context.Context) {
	s.t.Helper()
	s.list(ctx)
	for name := range s.may {
		out, err := storage.DownloadData(ctx, storage.DownloadDataInput{Path: s.path(name)})
		if err != nil {
			if !s.is(name)[written{}] {
				s.t.Errorf("%s%s may be %v: %v", s.folder, name, s.is(name), err)
			}
			continue
		}
		data, err := io.ReadAll(out.Body)
		out.Body.Close()
		if err != nil {
			s.t.Error(err)
		}
		right := false
		for o := range s.is(name) {
			right = right || o != written{} && bytes.Equal(data, o.bytes(s.t))
		}
		if !right {
			s.t.Errorf("%s%s has other %d bytes than those of %v",
				s.folder, name, len(data), s.is(name))
		}
	}
}
