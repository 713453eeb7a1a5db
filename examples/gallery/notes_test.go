package main

import (
	"context"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
)

// send fills the form of the page whose address ends with action, and sends it.
func (b *browser) send(action string, fields map[string]string) {
	b.t.Helper()
	for _, m := range formAction.FindAllStringSubmatch(b.page, -1) {
		if !strings.HasSuffix(m[1], action) {
			continue
		}
		values := url.Values{}
		if version := versionField.FindStringSubmatch(b.page); version != nil {
			values.Set("version", version[1])
		}
		for name, value := range fields {
			values.Set(name, value)
		}
		b.post(b.resolve(html.UnescapeString(m[1])), "application/x-www-form-urlencoded",
			strings.NewReader(values.Encode()))
		return
	}
	b.t.Fatalf("no form for %s at %s (status %d):\n%s", action, b.at, b.status, b.page)
}

var versionField = regexp.MustCompile(`name="version" value="(\d+)"`)

// write writes a note, and returns the path of its page.
func (b *browser) write(origin, title, text string) string {
	b.t.Helper()
	b.open(origin + "/notes/new")
	b.send("/notes", map[string]string{"title": title, "text": text})
	if b.status != http.StatusOK || !strings.HasPrefix(b.at.Path, "/notes/") {
		b.t.Fatalf("at %s, status %d:\n%s", b.at.Path, b.status, b.page)
	}
	return b.at.Path
}

// wantNot checks that the page does not say something.
func (b *browser) wantNot(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if strings.Contains(b.page, text) {
			b.t.Errorf("%s says %q:\n%s", b.at.Path, text, b.page)
		}
	}
}

// The life of a note.
func TestNote(t *testing.T) {
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "bob@example.com")
	b.open(origin + "/notes")
	b.wantText("You have no notes yet.")
	b.follow("Write a note")

	note := b.write(origin, " Sea & <sky> ", "One\r\n\r\nTwo <script>alert(1)</script>\r\n")
	b.wantText("Sea &amp; &lt;sky&gt;</h1>", "One\n\nTwo &lt;script&gt;", "Bob, ", "There are no comments yet.")
	b.wantNot("; changed")

	b.follow("Edit")
	b.wantText(`value="Sea &amp; &lt;sky&gt;"`, "One\n\nTwo &lt;script&gt;")
	b.send(note, map[string]string{"title": "Sea", "text": "Three"})
	b.wantAt(note)
	b.wantText("Sea</h1>", "Three", "; changed")
	b.wantNot("One")

	b.send("/comments", map[string]string{"text": "First"})
	b.wantAt(note)
	b.send("/comments", map[string]string{"text": "Second"})
	if first, second := strings.Index(b.page, "First"), strings.Index(b.page, "Second"); second < 0 || first < second {
		t.Errorf("the comments are not in the order of their times:\n%s", b.page)
	}
	b.open(origin + "/notes")
	b.wantText("Sea</h3>", "2 comments")
	b.open(origin + note)
	b.press("/delete") // the first such form is that of the note
	b.wantAt("/notes")
	b.wantText("You have no notes yet.")
	b.open(origin + note)
	if b.status != http.StatusNotFound {
		t.Errorf("a note that is deleted: status %d", b.status)
	}
	b.wantText("There is no such note.", `href="/notes"`)
	b.post(origin+note+"/delete", "application/x-www-form-urlencoded", nil)
	if b.status != http.StatusNotFound {
		t.Errorf("deleted twice: status %d", b.status)
	}
	if n := gallery.countComments(t, origin); n != 0 {
		t.Errorf("%d comments are left", n)
	}
}

// countComments returns how many comments there are, whoever may read them.
func (g *gallery) countComments(t *testing.T, origin string) (n int) {
	t.Helper()
	g.as(t, g.browserOf(t, origin, "alice@example.com"), origin, func(ctx context.Context) {
		for _, err := range g.notebook.comments.ListAll(ctx, data.ListInput{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	})
	return n
}

// as does something as the user of a browser, whatever the pages would allow.
func (g *gallery) as(t *testing.T, b *browser, origin string, do func(context.Context)) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, origin, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(request.URL) {
		request.AddCookie(c)
	}
	done := false
	g.runner.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		do(r.Context())
		done = true
	})).ServeHTTP(discard{}, request)
	if !done {
		t.Fatal("the request was not handled")
	}
}

// What does not fit is not saved, and the form keeps it.
func TestNoteForms(t *testing.T) {
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "bob@example.com")
	note := b.write(origin, "Title", "Text")
	for name, test := range map[string]struct {
		page, action string
		fields       map[string]string
		status       int
		says         string
	}{
		"no title": {"/notes/new", "/notes", map[string]string{"title": " \t", "text": "kept"}, 422, "The title is missing."},
		"no text":  {"/notes/new", "/notes", map[string]string{"title": "kept", "text": "\r\n"}, 422, "The text is missing."},
		"title too long": {"/notes/new", "/notes",
			map[string]string{"title": strings.Repeat("é", maxTitle+1), "text": "kept"}, 422, "The title has 101 characters. At most 100 fit."},
		"text too long": {note + "/edit", note,
			map[string]string{"title": "kept", "text": strings.Repeat("é", maxText+1)}, 422, "The text has 10001 characters."},
		"far too long": {"/notes/new", "/notes",
			map[string]string{"title": "Title", "text": strings.Repeat("x", maxForm)}, 400, "Your text did not arrive."},
		"comment missing": {note, "/comments", nil, 422, "The comment is missing."},
		"comment too long": {note, "/comments",
			map[string]string{"text": "kept" + strings.Repeat("x", maxComment)}, 422, "The comment has 2004 characters."},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			b.open(origin + test.page)
			b.send(test.action, test.fields)
			if b.status != test.status {
				t.Errorf("status %d, want %d", b.status, test.status)
			}
			b.wantText(test.says)
			for _, value := range test.fields {
				if strings.HasPrefix(value, "kept") {
					b.wantText("kept")
				}
			}
		})
	}
	b.t = t
	b.open(origin + note)
	b.wantText("Title</h1>", "There are no comments yet.")

	longest := map[string]string{"title": strings.Repeat("é", maxTitle), "text": strings.Repeat("é\r\n", maxText/2-1)}
	b.open(origin + "/notes/new")
	b.send("/notes", longest)
	b.wantText(longest["title"] + "</h1>")
}

// Two tabs do not overwrite each other.
func TestTwoTabs(t *testing.T) {
	gallery, origin := serveGallery(t)
	one, other := gallery.browserOf(t, origin, "bob@example.com"), gallery.browserOf(t, origin, "bob@example.com")
	note := one.write(origin, "Title", "Begun")
	one.open(origin + note + "/edit")
	other.open(origin + note + "/edit")
	other.send(note, map[string]string{"title": "Title", "text": "By the other"})
	other.wantText("By the other")

	one.send(note, map[string]string{"title": "Title", "text": "By the one"})
	if one.status != http.StatusConflict {
		t.Errorf("status %d, want 409", one.status)
	}
	one.wantText("The note was changed meanwhile.", "What is saved now", "By the other", "By the one")
	other.open(origin + note)
	other.wantText("By the other")

	// Whoever has seen the other text may replace it.
	one.send(note, map[string]string{"title": "Title", "text": "By the one"})
	one.wantAt(note)
	one.wantText("By the one")

	for _, version := range []string{"", "0", "-1", "x", "2147483647", "99999999999999999999"} {
		one.open(origin + note + "/edit")
		one.send(note, map[string]string{"title": "Title", "text": "Forced", "version": version})
		if one.status != http.StatusConflict {
			t.Errorf("version %q: status %d, want 409", version, one.status)
		}
	}

	// The note is deleted meanwhile.
	one.open(origin + note + "/edit")
	other.open(origin + note)
	other.press("/delete")
	one.send(note, map[string]string{"title": "Title", "text": "Too late"})
	if one.status != http.StatusNotFound {
		t.Errorf("status %d, want 404", one.status)
	}
	one.wantText("There is no such note.")
}

// A list goes page by page, to and fro.
func TestPagesOfNotes(t *testing.T) {
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "bob@example.com")
	alice := gallery.browserOf(t, origin, "alice@example.com")
	const many = 25
	for i := range many {
		b.write(origin, fmt.Sprintf("Note %02d", i), "Text")
		if i%5 == 0 {
			alice.write(origin, fmt.Sprintf("Alice's %02d", i), "Text")
		}
	}
	b.open(origin + "/notes")
	shows := func(from, to int) {
		t.Helper()
		var want []string
		for i := from; i >= to; i-- {
			want = append(want, fmt.Sprintf("Note %02d", i))
		}
		var got []string
		for _, m := range noteTitle.FindAllStringSubmatch(b.page, -1) {
			got = append(got, m[1])
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the page shows %q, want %q", got, want)
		}
	}
	shows(24, 15)
	b.wantNot("Previous page", "First page")
	b.follow("Next page")
	shows(14, 5)
	b.wantNot("Previous page")
	b.follow("Next page")
	shows(4, 0)
	b.wantNot("Next page")
	b.follow("Previous page")
	shows(14, 5)
	b.follow("First page")
	shows(24, 15)

	// The tokens are the API's: others are no way into anything.
	for _, query := range []string{"?after=!", "?after=" + strings.Repeat("x", 4000), "?after=e30%3D"} {
		b.open(origin + "/notes" + query)
		if b.status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", query, b.status)
		}
	}
	b.open(origin + "/notes")
	b.follow("Next page")
	alice.open(b.at.String())
	if strings.Contains(alice.page, "Note ") && alice.status == http.StatusOK {
		t.Errorf("with the token of Bob's page, Alice's shows\n%s", alice.page)
	}

	// Comments have pages, too.
	note := b.write(origin, "Busy", "Text")
	for i := range commentsPerPage + 1 {
		b.send("/comments", map[string]string{"text": fmt.Sprintf("Comment %02d", i)})
	}
	b.wantText("Comment 20", "Comment 01")
	b.wantNot("Comment 00")
	b.follow("Next page")
	b.wantAt(note)
	b.wantText("Comment 00")
	b.wantNot("Comment 01")
	b.follow("First page")
	b.wantText("Comment 20")
	b.open(origin + "/notes")
	b.wantText("10 comments or more")
}

var noteTitle = regexp.MustCompile(`<h3>(Note \d\d)</h3>`)

func TestTrail(t *testing.T) {
	var deep trail
	for i := range maxTrail {
		deep = append(deep, fmt.Sprint(i))
	}
	for name, test := range map[string]struct {
		t    trail
		next string
		want pager
	}{
		"first and last": {nil, "", pager{}},
		"first":          {nil, "a b", pager{Next: "/n?after=a+b"}},
		"second":         {trail{"a"}, "b", pager{"/n", "", "/n?after=a&after=b"}},
		"last":           {trail{"a", "b"}, "", pager{"/n", "/n?after=a", ""}},
		"deep": {deep, "8", pager{"/n",
			"/n?after=0&after=1&after=2&after=3&after=4&after=5&after=6",
			"/n?after=1&after=2&after=3&after=4&after=5&after=6&after=7&after=8"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.t.pager("/n", test.next); got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/n?after=x"+strings.Repeat("&after=y", 1000), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := trailOf(r); len(got) != maxTrail {
		t.Errorf("%d tokens of an address", len(got))
	}
}

// Nobody but admins gets at the notes of others: neither by the pages nor by the API.
func TestNotesArePrivate(t *testing.T) {
	gallery, origin := serveGallery(t)
	bob, alice := gallery.browserOf(t, origin, "bob@example.com"), gallery.browserOf(t, origin, "alice@example.com")
	const dave = "dave@example.com"
	if err := gallery.backend.sandbox.AddUser(t.Context(), sandbox.User{
		Email: dave, Password: seedPassword, Attributes: map[string]string{"name": "Dave"},
	}); err != nil {
		t.Fatal(err)
	}
	other := gallery.browserOf(t, origin, dave)
	path := bob.write(origin, "Bob's secret", "Text")
	bob.send("/comments", map[string]string{"text": "Bob's remark"})
	remove := commentRemoval.FindStringSubmatch(bob.page)
	if remove == nil {
		t.Fatalf("no comment:\n%s", bob.page)
	}
	id := strings.TrimPrefix(path, "/notes/")

	// By the pages.
	other.open(origin + "/notes")
	other.wantText("You have no notes yet.")
	for _, address := range []string{path, path + "/edit", "/notes/none", "/notes/%2e%2e", "/notes/a%00b"} {
		other.open(origin + address)
		if other.status != http.StatusNotFound {
			t.Errorf("%s: status %d", address, other.status)
		}
		other.wantNot("Bob's")
	}
	for address, want := range map[string]int{
		path: 404, path + "/delete": 404, path + "/comments": 404, remove[1]: 404,
		"/admin/notes/" + id + "/delete": 403,
	} {
		other.post(origin+address, "application/x-www-form-urlencoded",
			strings.NewReader("title=Dave%27s&text=Dave%27s&version=1"))
		if other.status != want {
			t.Errorf("POST %s: status %d, want %d", address, other.status, want)
		}
		other.wantNot("Bob's")
	}
	other.open(origin + "/admin/notes")
	if other.status != http.StatusForbidden {
		t.Errorf("status %d, want 403", other.status)
	}
	other.wantText("This room is for admins.")

	// By the API.
	gallery.as(t, other, origin, func(ctx context.Context) {
		n := gallery.notebook
		refused := func(what string, err error) {
			t.Helper()
			if amplify.ReasonOf(err) != amplify.ReasonNotAuthorized {
				t.Errorf("%s: %v, want a refusal", what, err)
			}
		}
		_, err := n.notes.Get(ctx, data.GetInput{Key: data.ID(id)})
		refused("get", err)
		_, err = n.notes.Update(ctx, data.UpdateInput{Item: note{ID: id, Title: "Dave's"}})
		refused("update", err)
		_, err = n.notes.Delete(ctx, data.DeleteInput{Key: data.ID(id)})
		refused("delete", err)
		_, err = n.comments.Create(ctx, data.CreateInput{Item: map[string]any{
			"noteId": id, "noteOwner": "bob", "text": "Dave's", "author": "Bob",
		}})
		refused("comment in another's name", err)
		list, err := n.all(ctx, "")
		if err != nil || len(list.Items) > 0 {
			t.Errorf("the list: %+v, %v", list, err)
		}
		comments, err := n.comments.List(ctx, data.ListInput{Index: "commentsByNote", Key: data.Key{"noteId": id}})
		if err != nil || len(comments.Items) > 0 {
			t.Errorf("the comments: %+v, %v", comments, err)
		}
		// A comment of Dave's own, put below Bob's note, is for Dave alone.
		_, err = n.comments.Create(ctx, data.CreateInput{Item: map[string]any{
			"noteId": id, "text": "Buy cheap frames", "author": "Bob",
		}})
		if err != nil {
			t.Error(err)
		}
	})
	bob.open(origin + path)
	bob.wantText("Bob&#39;s remark")
	bob.wantNot("Buy cheap frames")

	// An owner cannot give a note away.
	gallery.as(t, bob, origin, func(ctx context.Context) {
		_, err := gallery.notebook.notes.Update(ctx, data.UpdateInput{Item: map[string]any{"id": id, "owner": "dave"}})
		if amplify.ReasonOf(err) != amplify.ReasonNotAuthorized {
			t.Errorf("another owner: %v, want a refusal", err)
		}
	})

	// Admins may read, comment and delete, and change nothing.
	alice.open(origin + "/admin/notes")
	alice.wantText("Bob&#39;s secret", "Bob, ")
	alice.follow("Bob&#39;s secret")
	alice.wantText("Bob&#39;s remark")
	alice.wantNot(">Edit<")
	alice.send("/comments", map[string]string{"text": "Please be brief"})
	bob.open(origin + path)
	bob.wantText("Please be brief", "Alice, ")
	alice.open(origin + path + "/edit")
	if alice.status != http.StatusNotFound {
		t.Errorf("an admin edits: status %d", alice.status)
	}
	alice.post(origin+path, "application/x-www-form-urlencoded", strings.NewReader("title=A&text=A&version=1"))
	if alice.status != http.StatusNotFound {
		t.Errorf("an admin changes a note: status %d", alice.status)
	}
	alice.open(origin + "/notes")
	alice.wantText("You have no notes yet.")
	alice.open(origin + "/admin/notes")
	alice.press("/admin" + path + "/delete")
	alice.wantAt("/admin/notes")
	alice.wantText("Nobody has written a note yet.")
	bob.open(origin + "/notes")
	bob.wantText("You have no notes yet.")
}

var commentRemoval = regexp.MustCompile(`action="([^"]*/comments/[^"]+/delete)"`)

// A comment can be removed by the owner of the note.
func TestRemoveComment(t *testing.T) {
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "bob@example.com")
	note := b.write(origin, "Title", "Text")
	b.send("/comments", map[string]string{"text": "Remove me"})
	action := commentRemoval.FindStringSubmatch(b.page)
	if action == nil {
		t.Fatalf("no comment:\n%s", b.page)
	}
	b.press(action[1])
	b.wantAt(note)
	b.wantText("There are no comments yet.")

	// An admin removes what is gone already.
	alice := gallery.browserOf(t, origin, "alice@example.com")
	alice.post(origin+action[1], "application/x-www-form-urlencoded", nil)
	alice.wantAt(note)
	for _, path := range []string{"/admin" + note + "/delete", "/admin" + note + "/delete"} {
		alice.post(origin+path, "application/x-www-form-urlencoded", nil)
	}
	if alice.status != http.StatusNotFound {
		t.Errorf("a note removed twice: status %d", alice.status)
	}
}

// Forms of other sites change no note, though the browser sends the cookies with them.
func TestNoteFormsOfOtherSites(t *testing.T) {
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "alice@example.com")
	note := b.write(origin, "Title", "Text")
	for _, path := range []string{
		"/notes", note, note + "/delete", note + "/comments", note + "/comments/x/delete", "/admin" + note + "/delete",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, origin+path,
			strings.NewReader("title=Forged&text=Forged&version=1"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		b.show(b.client.Do(request))
		if b.status != http.StatusForbidden {
			t.Errorf("%s: status %d", path, b.status)
		}
	}
	b.open(origin + "/admin/notes")
	b.wantText("Title")
	b.wantNot("Forged")
}

// Where the API fails, pages say what to do, and forms keep what was written.
func TestDataFails(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	gallery, origin := serveGallery(t)
	b := gallery.browserOf(t, origin, "bob@example.com")
	note := b.write(origin, "Title", "Text")
	b.open(origin + note + "/edit")
	if _, err := gallery.backend.sandbox.Faults().Add(faults.Fault{Operation: "GraphQL", Outcome: faults.JSON500}); err != nil {
		t.Fatal(err)
	}
	b.send(note, map[string]string{"title": "Title", "text": "Long work"})
	if b.status != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", b.status)
	}
	b.wantText("The backend does not answer.", "Long work")
	for _, address := range []string{"/notes", note, "/notes/x"} {
		b.open(origin + address)
		if b.status != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d, want 503", address, b.status)
		}
	}
	b.post(origin+note+"/delete", "application/x-www-form-urlencoded", nil)
	b.wantText(`href="/notes">Try again`)
}
