package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/storage"
)

// hostileNames returns 300 names that are hard to escape, to sign, to list, or to keep in a file.
func hostileNames() []string {
	names := []string{
		" ", " a ", "a+b c%20d%2Fe%", "%", "%zz", "%2e%2e/a", "+", "?a=b&c=d#e;f", `a'b"c<d>e\f`,
		"&amp;", "]]>", "<!--", "&#1;", "a;b=1", "!*'()", "$:@=,", "~-._", "[1]{2}^`|", "*", "**",
		".", "..", "...", "./a", "../a", "../../etc/passwd", "a/../b", "a/./b", "..;/a", ".hidden",
		"/", "/a", "//", "a//b", "a/", "a//", "a/b/", "con", "C:/x", "http://x/y", "?delete",
		"?list-type=2", "x-amz-acl", "favicon.ico", "${cognito-identity.amazonaws.com:sub}/x",
		"\x00", "\x01\x0b\x1f\x7f", "\n", "\r\n", "a\rb", "\t", "\u0085", "\u2028", "\x1b[31m",
		"ü", "u\u0308", "日本語", "😀", "👩‍👩‍👧", "\u202ea", "\u200b", "\ufeff", "\ufffd", "\ufffe",
		"\U0010ffff", "ａ／ｂ", "İ", "ﬁ", "\u1100\u1161\u11a8",
		strings.Repeat("k", 300), strings.Repeat("k", 900), strings.Repeat("ü", 450),
		strings.Repeat("%", 900), strings.Repeat("a/", 450), strings.Repeat("../", 300),
		strings.Repeat("k", 1025), strings.Repeat("😀", 300), "\xff", "a\xc3", "\xed\xa0\x80",
	}
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []rune(" +%?#&;'\"/\\.\x01\nü中😀ab=~*[]{}|^$:@,<>!()")
	for len(names) < 300 {
		var name strings.Builder
		for range 1 + random.IntN(12) {
			name.WriteRune(pieces[random.IntN(len(pieces))])
		}
		if !slices.Contains(names, name.String()) {
			names = append(names, name.String())
		}
	}
	return names
}

// An object has the name that it was given, to the byte and in each function, or the name is
// refused with an error that says why.
func TestStorageHostileNames(t *testing.T) {
	d := startDrive(t, sandbox.Config{DataDir: t.TempDir()})
	d.as(t, ada, func(ctx context.Context) {
		var originals, copies []string
		for _, name := range hostileNames() {
			out, err := storage.UploadData(ctx, storage.UploadDataInput{
				Path: private("n/" + name), Body: strings.NewReader(name), AllowUnusualPath: true,
			})
			if !utf8.ValidString(name) || len(name) > 1024 {
				e, ok := err.(*amplify.Error)
				if !ok || e.Name != "InvalidStoragePathInput" || e.RecoverySuggestion == "" {
					t.Errorf("upload of %.40q: %v", name, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("upload of %.40q: %v", name, err)
				continue
			}
			originals = append(originals, out.Path)
			copied, err := storage.Copy(ctx, storage.CopyInput{
				Source: storage.CopySource{Path: storage.Path(out.Path), AllowUnusualPath: true},
				Destination: storage.CopyDestination{
					Path: private("c/" + name), AllowUnusualPath: true,
				},
			})
			if err != nil {
				t.Errorf("copy of %.40q: %v", name, err)
				continue
			}
			copies = append(copies, copied.Path)
			if got := download(t, ctx, storage.Path(copied.Path)); string(got) != name {
				t.Errorf("the copy of %.40q is %.40q", name, got)
			}
		}
		if len(originals) < 290 {
			t.Errorf("%d names survive", len(originals))
		}
		for folder, want := range map[string][]string{"n/": originals, "c/": copies} {
			slices.Sort(want)
			var got []string
			for item, err := range storage.ListAll(ctx, storage.ListInput{Path: private(folder)}) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, item.Path)
				signed, err := storage.GetURL(ctx, storage.GetURLInput{Path: item.ObjectPath()})
				if err != nil {
					t.Errorf("presigning %.40q: %v", item.Path, err)
					continue
				}
				status, body := fetch(t, http.MethodGet, signed.URL, "", nil)
				if status != http.StatusOK || !strings.HasSuffix(item.Path, folder+string(body)) {
					t.Errorf("presigned %.90q: %d %.90q", item.Path, status, body)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the list of %s (-want +got):\n%s", folder, diff)
			}
		}

		// One name after the other, in the reverse order: what lies in a folder goes before it.
		for _, path := range slices.Backward(originals) {
			_, err := storage.Remove(ctx, storage.RemoveInput{
				Path: storage.Path(path), AllowUnusualPath: true,
			})
			if err != nil {
				t.Errorf("removal of %.90q: %v", path, err)
			}
		}
		if left := listed(t, ctx, private("n/")); len(left) > 0 {
			t.Errorf("there remain %.200q", fmt.Sprint(left))
		}
		out, err := storage.Remove(ctx, storage.RemoveInput{Path: private("c/")})
		if err != nil || out.Removed != len(copies) {
			t.Errorf("removal of the folder: %+v, %v; want %d", out, err, len(copies))
		}
		if left := listed(t, ctx, private("c/")); len(left) > 0 {
			t.Errorf("there remain %.200q", fmt.Sprint(left))
		}
	})
}
