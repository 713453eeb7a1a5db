package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The notes of the example: pages, comments, and what others see of them. Nothing needs script.
func TestGalleryNotes(t *testing.T) {
	gallery := startGallery(t)
	bob := browser.profile(t).withoutScript()
	gallery.openRoom(bob, "/notes", "bob@example.com")
	bob.sees("You have no notes yet.")
	carol := browser.profile(t)
	gallery.signUp(carol, "carol"+strconv.Itoa(rand.Int())+"@example.com", "Carol")
	alice := browser.profile(t)
	gallery.openRoom(alice, "/admin/notes", "alice@example.com")
	alice.sees("Nobody has written a note yet.")

	// Each sees the own notes only, page by page.
	gallery.write(carol, "Carol's note", "Carol's text")
	var titles []string
	for i := range 25 {
		titles = append(titles, fmt.Sprintf("Note %02d", i))
	}
	gallery.write(bob, titles[0], "Begun.")
	gallery.writeMany(bob.beside(), titles[1:], "The text of a note.")
	slices.Reverse(titles) // the newest first
	bob.open(gallery.origin + "/notes")
	bob.shows(titles[:10])
	bob.click("Next page")
	bob.shows(titles[10:20])
	bob.click("Next page")
	bob.shows(titles[20:])
	bob.click("Previous page")
	bob.shows(titles[10:20])
	bob.click("First page")
	bob.shows(titles[:10])
	carol.open(gallery.origin + "/notes")
	carol.shows([]string{"Carol's note"})

	bob.click("Note 24")
	bob.sees("The text of a note.")
	note := bob.arrives(gallery.origin + "/notes/").String()
	carol.open(note)
	carol.sees("There is no such note.")
	carol.open(note + "/edit")
	carol.sees("There is no such note.")

	// Comments of the owner and of an admin.
	bob.fill("text", "The owner's comment")
	bob.click("Comment")
	bob.sees("The owner's comment")
	alice.open(note)
	alice.sees("The owner's comment")
	if strings.Contains(alice.text(), "Edit") {
		t.Error("the page offers an admin to change the note")
	}
	alice.fill("text", "The admin's comment")
	alice.click("Comment")
	alice.sees("The admin's comment")
	bob.reload()
	bob.sees("The admin's comment")
	bob.open(gallery.origin + "/notes")
	bob.sees("2 comments")

	// Two tabs change the same note.
	bob.open(note + "/edit")
	beside := bob.beside().withoutScript()
	beside.open(note + "/edit")
	beside.fill("text", "What the second tab wrote")
	beside.click("Save")
	beside.sees("What the second tab wrote")
	beside.sees("changed")
	bob.fill("text", "What the first tab wrote")
	bob.click("Save")
	bob.sees("The note was changed meanwhile.")
	bob.sees("What the second tab wrote")
	beside.reload()
	beside.sees("What the second tab wrote")
	bob.click("Save")
	bob.sees("Comments")
	beside.reload()
	beside.sees("What the first tab wrote")

	// The page of all notes is for admins.
	for _, b := range []*tab{bob, carol} {
		b.open(gallery.origin + "/admin/notes")
		b.sees("This room is for admins.")
	}
	alice.open(gallery.origin + "/admin/notes")
	for !strings.Contains(alice.text(), "Carol's note") {
		alice.click("Next page")
	}
	alice.script(nil, `document.querySelector('[aria-label="Remove Carol\'s note"]').click()`)
	alice.arrives(gallery.origin + "/admin/notes")
	carol.open(gallery.origin + "/notes")
	carol.sees("You have no notes yet.")

	bob.open(note)
	bob.click("Delete this note")
	bob.click("Delete for good")
	bob.shows(titles[1:11])
	alice.open(note)
	alice.sees("There is no such note.")
}

// openRoom signs somebody in who wanted to see a room.
func (g *gallery) openRoom(b *tab, path, email string) {
	b.t.Helper()
	b.open(g.origin + path)
	b.click("Sign in")
	b.managedLogin(email, g.seedPassword)
	b.arrives(g.origin + path)
}

// write writes a note.
func (g *gallery) write(b *tab, title, text string) {
	b.t.Helper()
	b.open(g.origin + "/notes/new")
	b.fill("Title", title)
	b.fill("Text", text)
	b.click("Save")
	b.sees("There are no comments yet.")
}

// writeMany writes notes as the form does, one after the other.
func (g *gallery) writeMany(b *tab, titles []string, text string) {
	b.t.Helper()
	b.open(g.origin + "/photos") // whose policy lets scripts call the server
	b.script(nil, `(async () => {
		for (const title of `+jsonText(titles)+`) {
			const body = new URLSearchParams({ title, text: `+jsonText(text)+` });
			const { ok } = await fetch('/notes', { method: 'POST', body });
			if (!ok) throw new Error(title);
		}
	})()`)
}

// shows waits until the page shows a list of notes with these titles.
func (b *tab) shows(titles []string) {
	b.t.Helper()
	var got []string
	b.await("to see "+titles[0], nil, `document.readyState === 'complete' &&
		find('.notes h3', e => textOf(e) === %s)`, titles[0])
	b.script(&got, `[...document.querySelectorAll('.notes h3')].map(e => e.innerText)`)
	if !slices.Equal(got, titles) {
		b.t.Errorf("the page shows %q, want %q", got, titles)
	}
}
