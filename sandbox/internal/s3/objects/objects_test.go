package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

const bucket = "bucket"

// open opens the store in dir, or one in memory, with the bucket.
func open(t testing.TB, dir string) *Store {
	t.Helper()
	db, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), db, dir, 8<<20, func() time.Time {
		return time.Unix(1_800_000_000,
			0)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(s.Close(), db.Close()) })
	if err := s.CreateBucket(t.Context(), bucket, "us-east-1"); err != nil &&
		err != ErrBucketTaken {
		t.Fatal(err)
	}
	return s
}

// each runs a test on a store in memory and on one in files.
func each(t *testing.T, test func(t *testing.T, s *Store, dir string)) {
	t.Run("memory", func(t *testing.T) { test(t, open(t, ""), "") })
	t.Run("files", func(t *testing.T) {
		dir := t.TempDir()
		test(t, open(t, dir), dir)
	})
}

func anyway(*Object) error { return nil }

// text returns what fills a blob with text.
func text(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// write makes a part of a text.
func write(t testing.TB, s *Store, content string) Part {
	t.Helper()
	blob, err := s.Write(text(content))
	if err != nil {
		t.Fatal(err)
	}
	return Part{Blob: blob, Size: int64(len(content))}
}

func put(t testing.TB, s *Store, key, content string) {
	t.Helper()
	if err := s.Put(t.Context(), bucket, &Object{Key: key, Size: int64(len(content)),
		Parts: []Part{write(t, s, content)}}, anyway); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, r *Reader, from, size int64) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteTo(&b, from, size); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func mustOpen(t testing.TB, s *Store, key string) *Reader {
	t.Helper()
	r, err := s.Open(t.Context(), bucket, key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// count returns how many blobs there are.
func count(t testing.TB, s *Store) int {
	t.Helper()
	if m, ok := s.blobs.files.(*memory); ok {
		if len(m.blobs) == 0 && m.size != 0 {
			t.Errorf("no blobs take %d bytes", m.size)
		}
		return len(m.blobs)
	}
	names, err := s.blobs.files.names()
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

func TestObjects(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ string) {
		content := strings.Repeat("0123456789", chunkSize/8)
		put(t, s, "a", content)
		r := mustOpen(t, s, "a")
		put(t, s, "a", "new") // the reader keeps the old object
		for _, section := range [][2]int64{{0, int64(len(content))}, {chunkSize - 3, 7},
			{int64(len(content)) - 1, 1}, {5, 0}} {
			if got := read(t, r, section[0],
				section[1]); got != content[section[0]:section[0]+section[1]] {
				t.Errorf("%v: %d other bytes", section, len(got))
			}
		}
		if err := r.WriteTo(io.Discard, 1, int64(len(content))); err == nil {
			t.Error("more than the object was read")
		}
		if n := count(t, s); n != 2 {
			t.Errorf("%d blobs while the old object is read", n)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s); n != 1 {
			t.Errorf("%d blobs after it was read", n)
		}
		if err := s.Delete(t.Context(), bucket, "a", anyway); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), bucket, "a"); err != ErrNoObject {
			t.Error(err)
		}
		if n := count(t, s); n != 0 {
			t.Errorf("%d blobs of no objects", n)
		}
	})
}

// TestRefused: what a check refuses, and what could not be read to its end, changes nothing.
func TestRefused(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ string) {
		put(t, s, "a", "old")
		no := errors.New("no")
		refuse := func(old *Object) error {
			if old == nil || old.Size != 3 {
				t.Errorf("the old object is %+v", old)
			}
			return no
		}
		if err := s.Put(t.Context(), bucket, &Object{Key: "a"}, refuse); err != no {
			t.Error(err)
		}
		if err := s.Delete(t.Context(), bucket, "a", refuse); err != no {
			t.Error(err)
		}
		half := func(w io.Writer) error { return errors.Join(text("half")(w), no) }
		if _, err := s.Write(half); !errors.Is(err, no) {
			t.Error(err)
		}
		func() {
			defer func() { _ = recover() }()
			_, _ = s.Write(func(io.Writer) error { panic("reading") })
		}()
		if got := read(t, mustOpen(t, s, "a"), 0, 3); got != "old" {
			t.Errorf("the object is %q", got)
		}
		if n := count(t, s); n != 1 {
			t.Errorf("%d blobs of one object", n)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	s := open(t, "")
	put(t, s, "a", strings.Repeat("x", 5<<20))
	if _, err := s.Write(text(strings.Repeat("x", 4<<20))); !errors.Is(err, ErrFull) {
		t.Errorf("9 MiB of 8: %v", err)
	}
	m := s.blobs.files.(*memory)
	if m.size != 5<<20+blobCost {
		t.Errorf("%d bytes are taken", m.size)
	}
	if err := s.Delete(t.Context(), bucket, "a", anyway); err != nil || m.size != 0 {
		t.Errorf("%d bytes are taken, %v", m.size, err)
	}
}

// TestEmptyObjectsEnd: what takes no bytes takes memory, too.
func TestEmptyObjectsEnd(t *testing.T) {
	s := open(t, "")
	for range 8<<20/blobCost + 1 {
		if _, err := s.Write(text("")); errors.Is(err, ErrFull) {
			return
		}
	}
	t.Error("empty blobs never fill the memory")
}

// slowFiles tells when a blob is removed while others have to wait for it.
type slowFiles struct {
	files
	removing func()
}

func (f slowFiles) remove(name string) error {
	f.removing()
	return f.files.remove(name)
}

// TestRemovalHoldsNobodyUp: thousands of files take seconds to remove.
func TestRemovalHoldsNobodyUp(t *testing.T) {
	s := open(t, "")
	removed := 0
	s.blobs.files = slowFiles{s.blobs.files, func() {
		removed++
		if !s.blobs.mu.TryLock() {
			t.Fatal("others have to wait")
		}
		s.blobs.mu.Unlock()
	}}
	put(t, s, "a", "one")
	r := mustOpen(t, s, "a")
	put(t, s, "a", "two")
	if err := errors.Join(r.Close(), s.Delete(t.Context(), bucket, "a", anyway)); err != nil {
		t.Fatal(err)
	}
	if removed != 2 {
		t.Errorf("%d blobs of 2 are removed", removed)
	}
}

func TestBuckets(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ string) {
		ctx := t.Context()
		if err := s.CreateBucket(ctx, bucket, "eu-west-1"); err != ErrBucketTaken {
			t.Error(err)
		}
		put(t, s, "a", "x")
		u := &Upload{Key: "b"}
		if err := s.CreateUpload(ctx, bucket, u); err != nil {
			t.Fatal(err)
		}
		addPart(t, s, u, 1, "part")
		if err := s.DeleteBucket(ctx, bucket); err != ErrNotEmpty {
			t.Error(err)
		}
		if err := s.Delete(ctx, bucket, "a", anyway); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteBucket(ctx, bucket); err != nil || count(t, s) != 0 {
			t.Errorf("%d blobs are left, %v", count(t, s), err)
		}
		if _, err := s.Bucket(ctx, bucket); err != ErrNoBucket {
			t.Error(err)
		}
		for what, err := range map[string]error{
			"delete bucket": s.DeleteBucket(ctx, bucket), "upload": s.CreateUpload(ctx, bucket, u),
			"put":    s.Put(ctx, bucket, &Object{}, anyway),
			"delete": s.Delete(ctx, bucket, "a", anyway),
		} {
			if err != ErrNoBucket {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func addPart(t testing.TB, s *Store, u *Upload, number int, content string) {
	t.Helper()
	if err := s.PutPart(t.Context(), bucket, u.Key, u.ID,
		&NumberedPart{Number: number, Part: write(t, s, content)}); err != nil {
		t.Fatal(err)
	}
}

// whole makes an object of parts with those numbers.
func whole(numbers ...int) func(u *Upload, parts map[int]Part, old *Object) (*Object, error) {
	return func(_ *Upload, parts map[int]Part, _ *Object) (*Object, error) {
		o := &Object{ETag: fmt.Sprint(numbers), Multipart: true}
		for _, n := range numbers {
			o.Parts = append(o.Parts, parts[n])
			o.Size += parts[n].Size
		}
		return o, nil
	}
}

func TestUploads(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ string) {
		ctx := t.Context()
		u := &Upload{Key: "a"}
		if err := s.CreateUpload(ctx, bucket, u); err != nil {
			t.Fatal(err)
		}
		put(t, s, "a", "replaced")
		for i, content := range []string{"first", "second", "wrong", "unused"} {
			addPart(t, s, u, i+1, content)
		}
		addPart(t, s, u, 3, "third")
		if n := count(t, s); n != 5 {
			t.Errorf("%d blobs of an object and four parts", n)
		}
		no := errors.New("no")
		_, err := s.Complete(ctx, bucket, "a", u.ID, func(*Upload, map[int]Part, *Object) (*Object,
			error) {
			return nil, no
		})
		if err != no || count(t, s) != 5 {
			t.Errorf("refused: %v, %d blobs", err, count(t, s))
		}
		if _, err := s.Complete(ctx, bucket, "b", u.ID, whole(1)); err != ErrNoUpload {
			t.Errorf("the upload of another key: %v", err)
		}
		for range 2 { // the second time it has been completed
			o, err := s.Complete(ctx, bucket, "a", u.ID, whole(1, 3))
			if err != nil || o.ETag != "[1 3]" {
				t.Fatalf("%+v, %v", o, err)
			}
		}
		if got := read(t, mustOpen(t, s, "a"), 3, 5); got != "stthi" || count(t, s) != 2 {
			t.Errorf("the object has %q, and there are %d blobs", got, count(t, s))
		}

		aborted := &Upload{Key: "a"}
		if err := s.CreateUpload(ctx, bucket, aborted); err != nil {
			t.Fatal(err)
		}
		addPart(t, s, aborted, 1, "x")
		if err := s.Abort(ctx, bucket, "b", aborted.ID); err != ErrNoUpload {
			t.Errorf("the upload of another key: %v", err)
		}
		if err := s.Abort(ctx, bucket, "a", aborted.ID); err != nil || count(t, s) != 2 {
			t.Errorf("%v, %d blobs", err, count(t, s))
		}
		if err := s.PutPart(ctx, bucket, "a", aborted.ID,
			&NumberedPart{Number: 1}); err != ErrNoUpload {
			t.Error(err)
		}
	})
}

// TestRestart: objects and parts are there after a restart, and what nothing names is not.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "a", "kept")
	u := &Upload{Key: "b"}
	if err := s.CreateUpload(t.Context(), bucket, u); err != nil {
		t.Fatal(err)
	}
	addPart(t, s, u, 1, "part")
	write(t, s, "nothing comes of it")
	if err := os.WriteFile(filepath.Join(dir, "objects", "half"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.db.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if n := count(t, s); n != 2 {
		t.Errorf("%d blobs of an object and a part", n)
	}
	if got := read(t, mustOpen(t, s, "a"), 0, 4); got != "kept" {
		t.Errorf("the object has %q", got)
	}
	if _, err := s.Complete(t.Context(), bucket, "b", u.ID, whole(1)); err != nil {
		t.Error(err)
	}
	if got := read(t, mustOpen(t, s, "b"), 0, 4); got != "part" {
		t.Errorf("the object has %q", got)
	}
}

// TestNoLinks: the directory for objects is not reached through a link.
func TestNoLinks(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "objects")); err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), db, dir, 0, time.Now); err == nil {
		t.Error("a link was followed")
	}
}

// TestKeys: objects have the keys that they were given, and these name no files.
func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, s *Store, dir string) {
		keys := []string{"../../x", "/", "//", "a/../b", ".", "..", "a/", "a", "\x00", "\x01\n",
			"ü", "u\u0308", "A", "%2e", " ", `\`, strings.Repeat("k", 1024)}
		for _, k := range keys {
			put(t, s, k, k)
		}
		page, err := s.List(t.Context(), bucket, Query{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range page.Entries {
			got = append(got, o.Key)
			if content := read(t, mustOpen(t, s, o.Key), 0, o.Size); content != o.Key {
				t.Errorf("%q has the content %q", o.Key, content)
			}
		}
		slices.Sort(keys)
		if diff := cmp.Diff(keys, got); diff != "" {
			t.Error(diff)
		}
		if dir == "" {
			return
		}
		err = filepath.WalkDir(filepath.Dir(dir), func(path string, d os.DirEntry,
			err error) error {
			if err == nil && strings.HasPrefix(d.Name(), "k") || d.Name() == "x" {
				t.Errorf("there is a file %s", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestList compares pages of all sizes with a list that is made at once.
func TestList(t *testing.T) {
	s := open(t, "")
	random := rand.New(rand.NewPCG(1, 2))
	var keys []string
	for range 40 {
		var b strings.Builder
		for range 1 + random.IntN(6) {
			b.WriteString([]string{"a", "b", "/", "//", "ÿ", "\U0010ffff"}[random.IntN(6)])
		}
		keys = append(keys, b.String())
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	for _, k := range keys {
		put(t, s, k, "")
		if err := s.CreateUpload(t.Context(), bucket, &Upload{Key: k}); err != nil {
			t.Fatal(err)
		}
	}
	for _, prefix := range []string{"", "a", "a/", "\U0010ffff"} {
		for _, delimiter := range []string{"", "/", "//"} {
			for _, after := range []string{"", "a", "a/", "b"} {
				want := plainly(keys, Query{Prefix: prefix, Delimiter: delimiter, After: after})
				for _, limit := range []int{1, 7} {
					q := Query{Prefix: prefix, Delimiter: delimiter, After: after, Limit: limit}
					got := pages(t, q, func(q Query, _ string) ([]string, string, string) {
						page, err := s.List(t.Context(), bucket, q)
						if err != nil {
							t.Fatal(err)
						}
						entries := page.Prefixes
						for _, o := range page.Entries {
							entries = append(entries, o.Key)
						}
						return entries, page.Next, ""
					})
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("%+v: %s", q, diff)
					}
					got = pages(t, q, func(q Query, id string) ([]string, string, string) {
						page, err := s.ListUploads(t.Context(), bucket, q, id)
						if err != nil {
							t.Fatal(err)
						}
						entries, last := page.Prefixes, ""
						for _, u := range page.Entries {
							entries = append(entries, u.Key)
							if u.Key == page.Next {
								last = u.ID
							}
						}
						return entries, page.Next, last
					})
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("uploads, %+v: %s", q, diff)
					}
				}
			}
		}
	}
	if page, err := s.List(t.Context(), bucket, Query{}); err != nil || len(page.Entries) != 0 ||
		page.Next != "" {
		t.Errorf("no entries: %+v, %v", page, err)
	}
}

// pages gets all entries, page by page.
func pages(t *testing.T, q Query, get func(q Query, id string) (entries []string, next,
	nextID string)) []string {
	t.Helper()
	var got []string
	id := ""
	for range 1000 {
		entries, next, nextID := get(q, id)
		if len(entries) > q.Limit {
			t.Fatalf("%+v: %d entries", q, len(entries))
		}
		got = append(got, entries...)
		if next == "" {
			slices.Sort(got)
			return got
		}
		q.After, id = next, nextID
	}
	t.Fatalf("%+v: no end", q)
	return nil
}

// plainly returns the entries that a query should find.
func plainly(keys []string, q Query) []string {
	var entries []string
	for _, k := range keys {
		if !strings.HasPrefix(k, q.Prefix) || q.After != "" && k <= q.After {
			continue
		}
		if i := strings.Index(k[len(q.Prefix):], q.Delimiter); q.Delimiter != "" && i >= 0 {
			k = k[:len(q.Prefix)+i+len(q.Delimiter)]
		}
		if q.After == "" || k != q.After {
			entries = append(entries, k)
		}
	}
	return slices.Compact(entries)
}

// TestNamesOfCompletedUploads: the key of one and the id of another make no third one.
func TestNamesOfCompletedUploads(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range [][3]string{{"b", "a", "b c"}, {"b", "a b", "c"}, {"b", "a\" \"b", "c"},
		{"b", "a", "b\" \"c"}, {"b a", "b", "c"}} {
		name := completedName(c[0], c[1], c[2])
		if seen[name] {
			t.Errorf("%q names two uploads", name)
		}
		seen[name] = true
	}
}

// TestUploadsOfOneKey are listed in the order in which they began, also over pages.
func TestUploadsOfOneKey(t *testing.T) {
	s := open(t, "")
	var want []string
	for range 5 {
		u := &Upload{Key: "a"}
		if err := s.CreateUpload(context.Background(), bucket, u); err != nil {
			t.Fatal(err)
		}
		want = append(want, u.ID)
	}
	slices.Sort(want)
	var got []string
	q, id := Query{Limit: 2}, ""
	for {
		page, err := s.ListUploads(t.Context(), bucket, q, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Entries {
			got = append(got, u.ID)
		}
		if page.Next == "" {
			break
		}
		q.After, id = page.Next, page.Entries[len(page.Entries)-1].ID
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
