package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/storage"
)

// parts returns what S3 has of an upload, to the one who began it.
func (d *depot) parts(key, id string) []types.Part {
	d.t.Helper()
	list, err := d.ada.ListParts(d.t.Context(), &s3.ListPartsInput{
		Bucket: aws.String(driveBucket), Key: &key, UploadId: &id,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return list.Parts
}

// awaitParts waits until two parts of an upload of one of ada's files have arrived. It returns the
// upload's id.
func (d *depot) awaitParts(name string) (id string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		for id, key := range underWay(d.t, d.admin) {
			if key == d.own+name && len(d.parts(key, id)) >= 2 {
				return id
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			d.t.Fatalf("no parts of %s have arrived within %v", name, patience)
		}
	}
}

// abort ends all uploads that are under way, and returns the names of their files.
func (d *depot) abort() []string {
	d.t.Helper()
	names := []string{}
	for id, key := range underWay(d.t, d.admin) {
		names = append(names, strings.TrimPrefix(key, d.own))
		d.parts(key, id)
		if _, err := d.ada.AbortMultipartUpload(d.t.Context(), &s3.AbortMultipartUploadInput{
			Bucket: aws.String(driveBucket), Key: &key, UploadId: &id,
		}); err != nil {
			d.t.Error(err)
		}
	}
	slices.Sort(names)
	return names
}

// objects returns the SHA-256 of ada's objects, by name. It tests that each is as large as the list
// says, and that the sandbox keeps nothing else on disk but parts of uploads that are under way.
func (d *depot) objects() map[string][sha256.Size]byte {
	t := d.t
	t.Helper()
	sums := map[string][sha256.Size]byte{}
	var known, onDisk int64
	d.as(t, ada, func(ctx context.Context) {
		for item, err := range storage.ListAll(ctx, storage.ListInput{Path: private("")}) {
			if err != nil {
				t.Fatal(err)
			}
			known += item.Size
			data := download(t, ctx, item.ObjectPath())
			if int64(len(data)) != item.Size {
				t.Errorf("%s has %d bytes, the list says %d", item.Path, len(data), item.Size)
			}
			sums[strings.TrimPrefix(item.Path, d.own)] = sha256.Sum256(data)
		}
	})
	for id, key := range underWay(t, d.admin) {
		for _, p := range d.parts(key, id) {
			known += *p.Size
		}
	}
	files, err := os.ReadDir(d.file("data/objects"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		onDisk += info.Size()
	}
	if onDisk != known {
		t.Errorf("there are %d bytes on disk, and %d of objects and parts", onDisk, known)
	}
	return sums
}

// version returns the content of an object when it is written for the nth time.
func version(t testing.TB, name string, n, size int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, name, n))
	data := make([]byte, size)
	if _, err := io.ReadFull(newContent(t, sum[0], int64(size)), data); err != nil {
		t.Fatal(err)
	}
	copy(data, sum[:])
	copy(data[max(0, size-len(sum)):], sum[:])
	return data
}

// The sandbox is killed while objects are written, several times. Each object is then the one that
// was there, or the one that was being written. An upload in parts goes on after each kill.
func TestStorageSandboxKilled(t *testing.T) {
	const rounds, part = 3, 5 << 20
	d := startDepot(t)
	sizes := map[string]int{"a": 100, "b": 1 << 20, "large": 12 << 20, "larger": 22 << 20}
	type state struct{ arrived, begun int } // versions
	states := map[string]*state{}
	for name := range sizes {
		states[name] = &state{}
	}
	resumed := d.own + "resumed"
	created, err := d.ada.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: aws.String(driveBucket), Key: &resumed,
	})
	if err != nil {
		t.Fatal(err)
	}
	var sent []*string // ETags of the parts that have arrived
	sendPart := func(ctx context.Context) error {
		number := int32(len(sent) + 1)
		out, err := d.ada.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: aws.String(driveBucket), Key: &resumed, UploadId: created.UploadId,
			PartNumber: &number, Body: bytes.NewReader(version(t, "resumed", int(number), part)),
		})
		if err == nil {
			sent = append(sent, out.ETag)
		}
		return err
	}

	left := map[string]bool{} // by killed uploads
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		var killed atomic.Bool
		arrived, stopped := make(chan struct{}), make(chan struct{})
		tell := func() {
			select {
			case arrived <- struct{}{}:
			case <-ctx.Done():
			}
		}
		var working sync.WaitGroup
		for name, s := range states {
			working.Go(func() {
				d.as(t, ada, func(server context.Context) {
					for ctx.Err() == nil {
						s.begun++
						_, err := storage.UploadData(server, storage.UploadDataInput{
							Path: private(name),
							Body: io.MultiReader(bytes.NewReader(
								version(t, name, s.begun, sizes[name]))),
						})
						if err != nil {
							if !killed.Load() {
								t.Errorf("upload of %s: %v", name, err)
							}
							return
						}
						s.arrived = s.begun
						tell()
					}
				})
			})
		}
		working.Go(func() {
			for ctx.Err() == nil && sendPart(ctx) == nil {
				tell()
			}
		})
		go func() {
			working.Wait()
			close(stopped)
		}()
		for range 10 + rand.IntN(20) {
			select {
			case <-arrived:
			case <-stopped:
				t.Fatal("nothing arrives")
			}
		}
		killed.Store(true)
		d.sandbox.kill()
		cancel()
		<-stopped
		d.start()

		uploads := underWay(t, d.admin)
		if uploads[*created.UploadId] != resumed {
			t.Fatalf("the upload that goes on is not among %v", uploads)
		}
		var have, want []string
		for _, p := range d.parts(resumed, *created.UploadId) {
			have = append(have, *p.ETag)
			if *p.Size != part {
				t.Errorf("part %d has %d bytes", *p.PartNumber, *p.Size)
			}
		}
		for _, etag := range sent {
			want = append(want, *etag)
		}
		if len(have) == len(want)+1 { // it arrived, and the answer did not
			have = have[:len(want)]
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("parts (-want +got):\n%s", diff)
		}
		for id, key := range uploads {
			if key != resumed {
				left[key] = true
				_, err := d.ada.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{
					Bucket: aws.String(driveBucket), Key: &key, UploadId: &id,
				})
				if err != nil {
					t.Error(err)
				}
			}
		}
		sums := d.objects()
		for name, s := range states {
			got, there := sums[name]
			sumOf := func(n int) [sha256.Size]byte {
				return sha256.Sum256(version(t, name, n, sizes[name]))
			}
			if there && got == sumOf(s.begun) {
				s.arrived = s.begun
			} else if there != (s.arrived > 0) || there && got != sumOf(s.arrived) {
				t.Errorf("%s is neither version %d nor %d", name, s.arrived, s.begun)
			}
		}
	}

	if err := sendPart(t.Context()); err != nil {
		t.Fatal(err)
	}
	var whole []byte
	complete := &types.CompletedMultipartUpload{}
	for i, etag := range sent {
		number := int32(i + 1)
		whole = append(whole, version(t, "resumed", i+1, part)...)
		complete.Parts = append(complete.Parts,
			types.CompletedPart{PartNumber: &number, ETag: etag})
	}
	if _, err := d.ada.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(driveBucket), Key: &resumed, UploadId: created.UploadId,
		MultipartUpload: complete,
	}); err != nil {
		t.Fatal(err)
	}
	sums := d.objects()
	if sums["resumed"] != sha256.Sum256(whole) {
		t.Error("the upload that went on has other bytes")
	}
	if uploads := underWay(t, d.admin); len(uploads) > 0 {
		t.Errorf("under way: %v", uploads)
	}
	t.Logf("%d kills; %d parts of the upload that went on; others were left of %d files",
		rounds, len(sent), len(left))
}

// A server is killed, or its client hangs up, in the middle of an upload over an old file. The old
// one remains, whole.
func TestStorageServerKilled(t *testing.T) {
	d := startDepot(t)
	old := version(t, "old", 1, 11<<20)
	// begin begins an upload that does not end, and returns its id once parts of it have arrived.
	begin := func(t *testing.T, server *transferServer, name string, more func(*http.Request)) (
		id string, hangUp func(),
	) {
		t.Helper()
		if err := server.put(name, bytes.NewReader(old)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		body, writer := io.Pipe()
		var client sync.WaitGroup
		client.Go(func() {
			_, _ = io.Copy(writer, newContent(t, 1, 22<<20)) // until nobody reads any more
		})
		client.Go(func() {
			defer body.Close()
			answer, err := server.request(ctx, http.MethodPut, name, body, more)
			if err == nil {
				answer.Body.Close()
				t.Errorf("the upload was answered: %s", answer.Status)
			}
		})
		return d.awaitParts(name), func() {
			cancel()
			writer.CloseWithError(ctx.Err()) // which net/http waits for
			client.Wait()
		}
	}
	remains := func(t *testing.T, name string) {
		t.Helper()
		if got := d.objects(); got[name] != sha256.Sum256(old) {
			t.Errorf("%s has other bytes, or is gone", name)
		}
	}

	t.Run("killed", func(t *testing.T) {
		server := d.serve()
		id, hangUp := begin(t, server, "killed", nil)
		server.kill()
		hangUp()
		if key := underWay(t, d.admin)[id]; key != d.own+"killed" {
			t.Errorf("the upload is one of %q", key)
		}
		if diff := cmp.Diff([]string{"killed"}, d.abort()); diff != "" {
			t.Errorf("uploads that were left (-want +got):\n%s", diff)
		}
		remains(t, "killed")
	})
	t.Run("hung up", func(t *testing.T) {
		server := d.serve()
		for name, more := range map[string]func(*http.Request){
			"chunked":       nil,
			"with a length": func(r *http.Request) { r.ContentLength = 100 << 20 },
		} {
			name = strings.ReplaceAll(name, " ", "-")
			_, hangUp := begin(t, server, name, more)
			hangUp()
			server.prints("(upload of " + name + ": .*)") // and has tidied up before
			if left := d.abort(); len(left) > 0 {
				t.Errorf("uploads that were left: %q", left)
			}
			remains(t, name)
		}
	})
}
