package e2e

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/sandbox/faults"
)

// A page that is bad on purpose: axe works here, under a policy that forbids scripts, and so do the
// looks at different widths and colours.
func TestAxeFindsFaults(t *testing.T) {
	axe := newAxe(t)
	bad := newSite(t, "localhost")
	bad.serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>Bad</title>
			<meta name="viewport" content="width=device-width"><style>
			:root { color-scheme: light dark }
			.wide { width: 600px }
			@media (prefers-color-scheme: dark) { .pale { color: #333; background: #222 } }
			</style>
			<main><h1>Bad</h1><p class="pale">Pale.</p><p class="wide">Wide.</p><input></main>`))
	}))
	b := browser.profile(t)
	b.open(bad.origin)
	found := axe.examine(b)
	for look, want := range map[string][]string{
		"390 px, light":  {"label", "reflow"},
		"390 px, dark":   {"color-contrast", "label", "reflow"},
		"1280 px, light": {"label"},
		"1280 px, dark":  {"color-contrast", "label"},
	} {
		var rules []string
		for _, f := range found[look] {
			rules = append(rules, f.Rule)
		}
		if slices.Sort(rules); !slices.Equal(rules, want) {
			t.Errorf("%s: %v, want %v", look, found[look], want)
		}
	}
}

func TestAxeConsole(t *testing.T) {
	axe := newAxe(t)
	backend := startBackend(t, sandbox.Config{AppOrigins: []string{"http://localhost:3000"}})
	b := browser.profile(t)
	open := func(path string) {
		t.Helper()
		b.open(backend.URL() + path)
	}
	for _, path := range []string{
		"/console", "/console/users", "/console/groups", "/console/storage", "/console/data", "/console/query",
		"/console/calls", "/console/faults", "/console/outputs", "/inbox", "/inbox?to=nobody@example.com",
		"/console/nothing", "/console/users/nobody", "/console/group?name=nobodies",
		"/console/storage/none", "/console/data/None", "/nothing",
	} {
		open(path)
		axe.passes(b, path+" of an empty sandbox")
	}

	// A user with a long address, a group and a call that failed.
	const email = "a.person.with.quite.a.long.name@a-rather-long-department.example.com"
	open("/console/groups")
	b.fill("Name", "editors-of-the-quarterly-report-with-a-name-that-does-not-break")
	b.fill("Description", "They write.")
	b.fill("Precedence", "3")
	b.fill("ARN of a role", "arn:aws:iam::123456789012:role/editors-of-the-quarterly-report")
	b.click("Create group")
	b.sees("The group is created.")
	axe.passes(b, "the groups after one was created")
	b.fill("Name", "x")
	b.fill("Precedence", "first")
	b.click("Create group")
	b.sees("whole number")
	axe.passes(b, "the groups after a refused form")
	b.click("editors-of")
	b.sees("Settings")
	axe.passes(b, "a group")
	b.fill("ARN of a role", "nothing like an ARN, but long enough")
	b.click("Save")
	b.sees("roleArn")
	axe.passes(b, "a group after a refused form")
	b.click("Delete group")
	b.sees("Its members stay.")
	axe.passes(b, "the question before a group is deleted")

	open("/console/users")
	b.fill("Email address", email)
	b.click("Create user")
	b.sees("The user is created.")
	b.click("Put in")
	b.sees("The user is in the group.")
	axe.passes(b, "a user with an invitation")
	b.fill("Another attribute", "colour")
	b.fill("Its value", "blue")
	b.click("Save attributes")
	b.sees("Attribute does not exist")
	axe.passes(b, "a user after a refused form")
	b.click("Disable")
	b.sees("The user is disabled")
	axe.passes(b, "a user who is disabled")
	b.click("Delete user")
	b.sees("All sessions end.")
	axe.passes(b, "the question before a user is deleted")
	open("/console/users")
	axe.passes(b, "the users")
	b.fill("Email address", email)
	b.click("Create user")
	b.sees("already exists")
	axe.passes(b, "the users after a refused form")
	backend.addUser(t, sandbox.User{Email: ada, Groups: []string{"editors"}})
	open("/console/groups")
	axe.passes(b, "the groups with members")

	open("/inbox")
	axe.passes(b, "the inbox")

	fault := faults.Fault{Operation: "jwks.json", Outcome: faults.Plain429}
	if _, err := backend.Faults().Add(fault); err != nil {
		t.Fatal(err)
	}
	open("/" + backend.outputs(t).Auth.UserPoolID + "/.well-known/jwks.json")
	open("/console/calls")
	b.sees("jwks.json")
	axe.passes(b, "the calls")
	open("/console/faults")
	axe.passes(b, "the faults")
	b.click("Add")
	b.await("to see what is wrong", nil, `document.querySelector('#error')`)
	axe.passes(b, "the faults after a refused form")
	open("/console")
	b.script(nil, `document.querySelector('[name=csrf]').value = ''`)
	b.click("Rotate keys")
	b.sees("Nothing was changed.")
	axe.passes(b, "a form that another site could have sent")
}

func TestAxeConsoleData(t *testing.T) {
	axe := newAxe(t)
	backend := startBackend(t, sandbox.Config{Data: sandbox.Data{Schema: `
		type Note @model @auth(rules: [{allow: owner},
			{allow: groups, groups: ["editors"], operations: [read]}]) {
			id: ID!
			text: String @auth(rules: [{allow: owner}])
			aFieldWhoseNameIsLongerThanANarrowScreen: [String]
			comments: [Comment] @hasMany
		}
		type Comment @model @auth(rules: [{allow: public}]) { text: String, note: Note @belongsTo }
		type Bare @model { text: String }
		type Query { echo: String @function(name: "echo") @auth(rules: [{allow: private}]) }`}})
	backend.addUser(t, sandbox.User{Email: ada})
	b := browser.profile(t)
	open := func(path string) {
		t.Helper()
		b.open(backend.URL() + path)
	}
	for _, path := range []string{"/console/data", "/console/data/Note", "/console/query?model=Note"} {
		open(path)
		axe.passes(b, path)
	}
	b.script(nil, `document.querySelector('option:last-of-type[value*="-"]').selected = true`)
	b.fill("Query or mutation", `mutation Create($text: String, $list: [String]) {
  createNote(input: {text: $text, aFieldWhoseNameIsLongerThanANarrowScreen: $list}) {
    id text owner createdAt
  }
}`)
	b.fill("Variables", "nothing")
	b.click("Run")
	b.sees("The variables are a JSON object")
	axe.passes(b, "the query after a refused form")
	b.fill("Variables", `{"text": "`+strings.Repeat("wide", 60)+`", "list": ["one", null]}`)
	b.click("Run")
	b.sees(`"createNote": {`)
	axe.passes(b, "the query with its answer")
	open("/console/data/Note")
	b.sees("widewide")
	axe.passes(b, "items")
}

func TestAxeManagedLogin(t *testing.T) {
	axe := newAxe(t)
	const origin = "http://localhost:3000" // nobody signs in to the end
	backend := startBackend(t, sandbox.Config{AppOrigins: []string{origin}})
	backend.addUser(t, sandbox.User{Email: ada})
	backend.addUser(t, sandbox.User{Email: "new@example.com", NewPasswordRequired: true})

	request := url.Values{
		"client_id": {backend.outputs(t).Auth.ClientID}, "response_type": {"code"},
		"redirect_uri": {origin + "/api/auth/sign-in-callback"},
	}.Encode()
	b := browser.profile(t)
	open := func(path string) {
		t.Helper()
		b.open(backend.URL() + path + "?" + request)
	}
	for _, path := range []string{
		"/login", "/signup", "/confirm", "/forgotPassword", "/confirmForgotPassword",
		"/pretend/Google", "/error", "/nothing",
	} {
		open(path)
		axe.passes(b, path)
	}
	for _, lang := range []string{"fr", "de", "es", "ja"} {
		b.open(backend.URL() + "/login?" + request + "&lang=" + lang)
		axe.passes(b, "/login in "+lang)
	}
	b.open(backend.URL() + "/login?lang=en&client_id=nothing&redirect_uri=x")
	axe.passes(b, "a request that is wrong")

	open("/login")
	b.managedLogin(ada, "wrong")
	b.sees("Incorrect")
	axe.passes(b, "the sign-in after a wrong password")
	b.script(nil, `document.querySelector('[name=csrf]').value = ''`)
	b.managedLogin(ada, password)
	b.sees("Nothing was changed.")
	axe.passes(b, "a form that another site could have sent")

	signUp := func(password string) {
		t.Helper()
		b.fill("Email address", "vincent@example.com")
		b.fill("Password", password)
		b.fill("Repeat the password", password)
		b.click("Create account")
	}
	open("/signup")
	signUp("weak")
	b.sees("does not follow the rules")
	axe.passes(b, "the sign-up after a weak password")
	signUp(password)
	b.sees("We sent a code")
	axe.passes(b, "the confirmation")
	b.fill("Code", "1")
	b.click("Confirm account")
	b.sees("not right")
	axe.passes(b, "the confirmation after a wrong code")
	b.click("Send a new one")
	b.sees("We sent a new code.")
	axe.passes(b, "the confirmation after another code")

	open("/forgotPassword")
	b.fill("Email address", "vincent@example.com")
	b.click("Send the code")
	b.sees("A code cannot be sent")
	axe.passes(b, "the request for a code that cannot be sent")
	b.fill("Email address", ada)
	b.click("Send the code")
	b.sees("We sent a code")
	axe.passes(b, "the reset of a password")
	b.fill("Code", "1")
	b.fill("New password", newPassword)
	b.fill("Repeat the password", newPassword)
	b.click("Change password")
	b.sees("not right")
	axe.passes(b, "the reset after a wrong code")
	b.fill("Code", backend.code(t, ada))
	b.fill("New password", newPassword)
	b.fill("Repeat the password", newPassword)
	b.click("Change password")
	b.sees("Your password has been changed.")
	axe.passes(b, "the sign-in after a reset")

	open("/login")
	b.managedLogin("new@example.com", password)
	b.sees("Your password was temporary.")
	axe.passes(b, "the first sign-in")
	b.fill("New password", "weak")
	b.fill("Repeat the password", "weak")
	b.click("Set password")
	b.sees("does not follow the rules")
	axe.passes(b, "the first sign-in after a weak password")

	open("/pretend/Google")
	b.click("Be someone else")
	axe.passes(b, "the form for another person")
	b.fill("Name", " ")
	b.fill("Email address", ada)
	b.click("Continue as this person")
	b.sees("Fill in every field.")
	axe.passes(b, "the form for another person after a refusal")
}

func TestAxeGallery(t *testing.T) {
	axe := newAxe(t)
	gallery := startGallery(t)
	b := browser.profile(t)
	examine := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			b.open(gallery.origin + path)
			axe.passes(b, path)
		}
	}
	examine("/", "/sign-in", "/sign-in?error=timeout", "/nothing")
	for _, email := range []string{"bob@example.com", "alice@example.com"} {
		b.open(gallery.origin + "/home")
		b.click("Sign in")
		b.managedLogin(email, gallery.seedPassword)
		b.sees("Welcome home")
		examine("/", "/home", "/profile", "/storeroom", "/sign-in",
			"/photos", "/photos/empty", "/photos/nothing.png",
			"/notes", "/notes/new", "/notes/nothing", "/admin/notes")
		axePhotos(axe, gallery, b)
		axeNotes(axe, gallery, b)
		b.script(nil, `document.querySelectorAll('details').forEach(d => d.open = true)`)
		axe.passes(b, "a page with its source")
		b.click("Sign out")
		b.sees("Come in.")
	}
}

// axePhotos examines the pages of photos, those of the album after an upload by script and after one
// without.
func axePhotos(axe *axe, gallery *gallery, b *tab) {
	b.t.Helper()
	files := []string{
		writePhoto(b.t, "A photo with a name that is rather long, which somebody gave it at sea.png"),
		writePhoto(b.t, "Aphotowithanamethatdoesnotbreakanywhere_0123456789_0123456789_0123456789.png"),
		writeFile(b.t, "page.png", []byte("<!doctype html>")),
	}
	b.open(gallery.origin + "/photos")
	b.choose(files...)
	b.click("Upload")
	b.sees("2 of 3 uploaded.")
	axe.passes(b, "the album after an upload")
	b.choose(files...)
	b.script(nil, `document.querySelector('#upload').submit()`) // as without the script
	b.sees("There is a photo of that name already.")
	axe.passes(b, "the album after an upload that failed")
	b.click("A photo with a name")
	b.sees("Only for you")
	axe.passes(b, "a photo")
	b.click("Publish")
	b.sees("On display")
	b.click("Delete this photo")
	axe.passes(b, "a photo on display")
	b.open(gallery.origin)
	axe.passes(b, "the entrance with photos")
	b.open(gallery.origin + "/photos/empty")
	axe.passes(b, "the question before the album is emptied")
	b.click("Remove all photos")
	b.sees("2 photos are removed")
	axe.passes(b, "the album when it is emptied")
	b.open(gallery.origin + "/home")
}

// axeNotes examines the pages of notes: a list of two pages, a note with comments, and the forms.
func axeNotes(axe *axe, gallery *gallery, b *tab) {
	b.t.Helper()
	gallery.writeMany(b, slices.Repeat([]string{"A short note"}, 10), "Text")
	gallery.write(b, "Anotewithatitlethatdoesnotbreakanywhere_0123456789_0123456789_0123456789",
		"One line.\n\nAnotherlinethatdoesnotbreakanywhere_0123456789_0123456789_0123456789")
	b.fill("text", "A comment with a word that does not break: "+strings.Repeat("0123456789_", 9))
	b.click("Comment")
	b.sees("A comment with a word")
	b.click("Delete this note")
	axe.passes(b, "a note with a comment")
	b.script(nil, `document.querySelector('textarea').required = false`)
	b.fill("text", "")
	b.click("Comment")
	b.sees("The comment is missing.")
	axe.passes(b, "a note whose comment was refused")
	b.click("Edit")
	b.sees("Edit a note.")
	axe.passes(b, "the form of a note")
	b.script(nil, `document.querySelector('input[name=version]').value = '0'`)
	b.click("Save")
	b.sees("What is saved now")
	axe.passes(b, "the form of a note that was changed meanwhile")
	b.open(gallery.origin + "/notes")
	axe.passes(b, "the notes")
	b.click("Next page")
	b.sees("Older notes")
	axe.passes(b, "the second page of notes")
	b.open(gallery.origin + "/admin/notes")
	axe.passes(b, "the notes of all")
	b.open(gallery.origin + "/home")
}

// The pages of guards and auth routes that an application need not write itself.
func TestAxeBuiltInPages(t *testing.T) {
	axe := newAxe(t)
	site, other := newSite(t, "localhost"), newSite(t, "other.localhost")
	backend := startBackend(t, sandbox.Config{AppOrigins: []string{site.origin}})
	backend.addUser(t, sandbox.User{Email: ada})
	config, err := amplify.ParseConfig(backend.Outputs())
	if err != nil {
		t.Fatal(err)
	}
	runner, err := amplifyhttp.NewServerRunner(config, amplifyhttp.Options{Origin: site.origin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close(context.WithoutCancel(t.Context())) })
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	editors, err := runner.RequireGroup(amplifyhttp.Guard{}, "editors")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", routes)
	mux.Handle("/editors", editors(http.NotFoundHandler()))
	site.serve(t, runner.Middleware(mux))
	other.serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		show(w, "other", site.origin)
	}))

	b := browser.profile(t)
	b.open(site.origin + "/editors")
	b.sees("Please sign in")
	axe.passes(b, "a page that needs a sign-in")
	b.open(site.origin + "/api/auth/sign-in-callback")
	b.sees("You are not signed in")
	axe.passes(b, "a sign-in that has failed")
	b.open(site.origin + "/api/auth/signed-out")
	axe.passes(b, "the end of a sign-out")
	b.open(site.origin + "/api/auth/sign-in?return_to=/editors")
	b.managedLogin(ada, password)
	b.sees("Not allowed")
	axe.passes(b, "a page that needs a group")
	b.open(other.origin)
	b.click("Win a prize")
	b.arrives(site.origin)
	axe.passes(b, "the question before a sign-out")
}
