package storage_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/storage"
)

// hostileNames returns 300 names of objects that software stumbles over.
func hostileNames() []string {
	names := []string{
		"a b", " leading", "trailing ", "a+b", "a%b", "a%20b", "a%2Fb", "%", "%%", "%zz", "a?b", "a?b=c&d", "a#b", "a&b", "a&amp;b",
		"a=b", "a;b", "a:b", "a,b", "a@b", "a$b", "a'b", `a"b`, "a<b>c", "a|b", "a^b", "a`b", "a{b}", "a[b]", `a\b`, "a~b", "a*b", "a!b",
		"(a)", "a/b", "a//b", "a///b", "/a", "//a", "a/", "a//", ".", "..", "...", "./a", "../a", "a/.", "a/..", "a/./b", "a/../b",
		"..a", "a..", ".hidden", "a/.hidden", "~", "-", "_", "a.", "con", "nul", "a:b:c", "C:/x", "http://x/y", "ünïcödé", "u\u0308",
		"\u00fc", "日本語", "😀", "👩‍👩‍👧", "\u202e", "\u200b", "\ufeff", "\u00a0", "\u2028", "\u2029", "\u0085", "\uffff", "\ufffe", "\ufffd",
		"\U0010ffff", "\n", "a\nb", "a\rb", "a\r\nb", "\t", "a\tb", "\x01", "a\x00b", "\x1f", "\x7f", "\u0080", "\u009f", "\x1b[31m",
		"]]>", "<!--", "<?xml?>", "&lt;", "&#1;", "]]&gt;", "'; DROP TABLE x; --", "$(id)", "`id`", "${x}", "{{x}}", "*", "**", "?",
		"a b/c d/e+f", "x-amz-acl", "?acl", "?delete", "?list-type=2", "favicon.ico", "index.html", "%2e%2e/a", "%2e%2e%2fa", "..%2fa",
		"..;/a", "a;jsessionid=1", "ａ／ｂ", "a\u2215b", "a\u2044b", "İ", "ß", "ﬁ", "\u1100\u1161\u11a8", "각", "ꙮ", "𝔘𝔫𝔦", "١٢٣",
		strings.Repeat("a", 1000), strings.Repeat("ü", 500), strings.Repeat("😀", 250), strings.Repeat("a/", 500), strings.Repeat("%", 1000),
		strings.Repeat("../", 300), strings.Repeat("a", 1025), strings.Repeat("ü", 513), "\xff", "a\xc3", "\xed\xa0\x80", "a\xf8\x88\x80\x80\x80b",
	}
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune("ab/.%+ ?&#;'\"<>\\\x01\n\r\tü日😀~*$@=:,")
	for len(names) < 300 {
		name := make([]rune, 1+random.IntN(12))
		for i := range name {
			name[i] = letters[random.IntN(len(letters))]
		}
		if s := string(name); !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names
}

// TestHostileNames lists, reads, downloads, copies and removes objects of 300 names, at the level
// of requests: S3 must get the very name.
func TestHostileNames(t *testing.T) {
	s := newFakeS3(t)
	ctx := s.in(t, s.app(t, config()), "me")
	valid := map[string]bool{}
	for _, name := range hostileNames() {
		path := "in/" + name
		_, err := storage.GetURL(ctx, storage.GetURLInput{Path: storage.Path(path), AllowUnusualPath: true})
		if wrong := !utf8.ValidString(path) || len(path) > 1024; wrong != (err != nil) {
			t.Errorf("%.40q: %v", name, err)
		} else if !wrong {
			valid[path] = true
			s.put(path)
		} else if e, ok := err.(*amplify.Error); !ok || e.Name != "InvalidStoragePathInput" || e.RecoverySuggestion == "" {
			t.Errorf("%.40q: the error is not clear: %v", name, err)
		}
	}
	if len(valid) < 290 {
		t.Fatalf("%d names", len(valid))
	}
	seen := 0
	for item, err := range storage.ListAll(ctx, storage.ListInput{Path: storage.Path("in/")}) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if !valid[item.Path] {
			t.Errorf("%.40q was listed", item.Path)
		}
		p, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: item.ObjectPath()})
		if err != nil || p.Size != int64(len(item.Path)) || p.Path != item.Path {
			t.Errorf("%.40q: %+v, %v", item.Path, p, err)
		}
		if got := download(t, must(storage.GetURL(ctx, storage.GetURLInput{Path: item.ObjectPath()})).URL); got != item.Path {
			t.Errorf("%.40q: downloaded %.40q", item.Path, got)
		}
		to := "out/" + strings.TrimPrefix(item.Path, "in/")
		if len(to) > 1024 {
			to = to[:1024]
		}
		if !utf8.ValidString(to) {
			continue
		}
		_, err = storage.Copy(ctx, storage.CopyInput{
			Source:      storage.CopySource{Path: item.ObjectPath()},
			Destination: storage.CopyDestination{Path: storage.Path(to), AllowUnusualPath: true},
		})
		if err != nil || s.buckets["drive"][to] != item.Path {
			t.Errorf("copying %.40q: %v", item.Path, err)
		}
	}
	if seen != len(valid) {
		t.Errorf("%d of %d names were listed", seen, len(valid))
	}
	for _, folder := range []string{"in/", "out/"} {
		out, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path(folder)})
		if err != nil || out.Removed < 290 {
			t.Errorf("removing %s: %+v, %v", folder, out, err)
		}
	}
	if left := s.keys("drive"); len(left) > 0 {
		t.Errorf("left: %.100q", left)
	}
}

// TestSingleHostileNames removes objects one by one.
func TestSingleHostileNames(t *testing.T) {
	s := newFakeS3(t)
	ctx := s.in(t, s.app(t, config()), "me")
	for _, name := range hostileNames() {
		if !utf8.ValidString(name) || len(name) > 1000 || strings.HasSuffix(name, "/") {
			continue
		}
		path := "x/" + name
		s.put(path, "y")
		_, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path(path), AllowUnusualPath: true})
		if err != nil || len(s.keys("drive")) != 1 {
			t.Fatalf("%.40q: %v, left %.100q", name, err, s.keys("drive"))
		}
	}
}

// TestUnusualPaths: what a caller gives must be usual, in every function, before any call.
func TestUnusualPaths(t *testing.T) {
	s := newFakeS3(t)
	ctx := s.in(t, s.app(t, config()), "me")
	for _, path := range []string{"a//b", "//", "a//", "../a", "a/..", "a/../b", "./a", "a/.", ".", "..", "a\x00", "a\nb", "a\u0085b", "\x7f"} {
		p, ok := storage.Path(path), storage.Path("ok")
		if strings.HasPrefix(path, "/") {
			p = storage.Key(path, storage.KeyOptions{})
		}
		for name, call := range map[string]func(storage.ObjectPath) error{
			"GetURL": func(p storage.ObjectPath) error {
				_, err := storage.GetURL(ctx, storage.GetURLInput{Path: p})
				return err
			},
			"GetProperties": func(p storage.ObjectPath) error {
				_, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: p})
				return err
			},
			"List": func(p storage.ObjectPath) error {
				_, err := storage.List(ctx, storage.ListInput{Path: p})
				return err
			},
			"ListAll": func(p storage.ObjectPath) error {
				for _, err := range storage.ListAll(ctx, storage.ListInput{Path: p}) {
					return err
				}
				return nil
			},
			"Remove": func(p storage.ObjectPath) error {
				_, err := storage.Remove(ctx, storage.RemoveInput{Path: p})
				return err
			},
			"Copy from": func(p storage.ObjectPath) error {
				_, err := storage.Copy(ctx, storage.CopyInput{Source: storage.CopySource{Path: p}, Destination: storage.CopyDestination{Path: ok}})
				return err
			},
			"Copy to": func(p storage.ObjectPath) error {
				_, err := storage.Copy(ctx, storage.CopyInput{Source: storage.CopySource{Path: ok}, Destination: storage.CopyDestination{Path: p}})
				return err
			},
			"by identity": func(storage.ObjectPath) error {
				_, err := storage.GetURL(ctx, storage.GetURLInput{Path: storage.PathFunc(func(id string) string { return id + "/a//b" })})
				return err
			},
		} {
			if err := call(p); amplify.ReasonOf(err) != amplify.ReasonUnusualPath || !strings.Contains(err.Error(), "AllowUnusualPath") {
				t.Errorf("%s %q: %v", name, path, err)
			}
		}
	}
	if calls := s.took(); len(calls) > 0 {
		t.Errorf("S3 was called: %q", calls)
	}
	for _, path := range []string{"a", "a/", "a/b/c.txt", "...", "a/..b", "ü/日本", "a b", "a%2e%2e", "~", "a:b"} {
		if _, err := storage.GetURL(ctx, storage.GetURLInput{Path: storage.Path(path)}); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func download(t testing.TB, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Sprint(resp.StatusCode, err, string(body))
	}
	return string(body)
}

// must returns v, and panics if there is an error.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
