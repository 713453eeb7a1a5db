package storage_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/storage"
)

// TestRemoveFolder: batches, progress, and objects that remain.
func TestRemoveFolder(t *testing.T) {
	s := newFakeS3(t)
	for i := range 2500 {
		s.put(fmt.Sprintf("a/%04d", i))
	}
	s.put("b", "a\x01/c", "a/\x01", "a/kept\x02")
	s.refuse = func(action, key string) string {
		if action == "DELETE" && (strings.HasSuffix(key, "7") || strings.HasPrefix(key, "a/kept")) {
			return "AccessDenied"
		}
		return ""
	}
	ctx := s.in(t, s.app(t, config()), "me")
	batches, removed, failed := 0, 0, 0
	out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("a/"), OnProgress: func(p storage.RemoveProgress) {
		batches++
		removed += len(p.Removed)
		failed += len(p.Failed)
	}})
	var e *storage.RemoveError
	if amplify.ReasonOf(err) != amplify.ReasonPartlyRemoved || !errors.As(err, &e) || !strings.Contains(err.Error(), "251 of 2502 objects remain") {
		t.Fatalf("%v", err)
	}
	if e.Total != 251 || e.Removed != 2251 || len(e.Failed) != 251 || out.Removed != 2251 || batches != 3 || removed != 2251 || failed != 251 {
		t.Errorf("%d remain, %d failures, %+v; progress: %d, %d, %d", e.Total, len(e.Failed), out, batches, removed, failed)
	}
	if f := e.Failed[1]; f.Code != "AccessDenied" || f.Message != "Access Denied" || !strings.HasSuffix(f.Path, "7") {
		t.Errorf("%+v", f)
	}
	if left := s.keys("drive"); len(left) != 253 || !slices.Contains(left, "b") || !slices.Contains(left, "a\x01/c") {
		t.Errorf("%d are left", len(left))
	}
	s.refuse = nil
	if out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("a")}); err != nil || out.Removed != 251 || out.Path != "a" {
		t.Errorf("%+v, %v", out, err)
	}
	s.took()
	if out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("b")}); err != nil || out.Removed != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if d := cmp.Diff([]string{"LIST b/", "DELETE b"}, s.took()); d != "" {
		t.Error(d)
	}
}

// TestRemoveErrorIsBounded: of a large folder not every failure is kept.
func TestRemoveErrorIsBounded(t *testing.T) {
	s := newFakeS3(t)
	for i := range 2100 {
		s.put(fmt.Sprintf("a/%04d", i))
	}
	s.refuse = func(action, _ string) string { return map[bool]string{true: "AccessDenied"}[action == "DELETE"] }
	_, err := storage.Remove(s.in(t, s.app(t, config()), "me"), storage.RemoveInput{Path: storage.Path("a/")})
	var e *storage.RemoveError
	if !errors.As(err, &e) || e.Total != 2100 || len(e.Failed) != 1000 {
		t.Errorf("%v", err)
	}
}

// TestRemoveUnseen: a caller who may not list removes the object, and is told so. An outage is an
// error before anything is removed.
func TestRemoveUnseen(t *testing.T) {
	s := newFakeS3(t)
	ctx := s.in(t, s.app(t, config()), "me")
	for code, removed := range map[string]bool{"AccessDenied": true, "InternalError": false} {
		s.put("a", "a/b")
		s.refuse = func(action, _ string) string { return map[bool]string{true: code}[action == "LIST"] }
		out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("a")})
		if removed != (err == nil) || removed && out.FolderUnseen == nil || removed == slices.Contains(s.keys("drive"), "a") {
			t.Errorf("%s: %+v, %v; left %q", code, out, err, s.keys("drive"))
		}
	}
	s.took()
	for _, path := range []string{"*", "**", " ", "*/", " * / * "} {
		if out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path(path)}); err == nil {
			t.Errorf("%q: %+v", path, out)
		}
	}
	if calls := s.took(); len(calls) > 0 {
		t.Errorf("S3 was called: %q", calls)
	}
}
