package e2e

import (
	"encoding/json"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// The example application as somebody starts it, and the people who come to see it.
func TestGallery(t *testing.T) {
	gallery := startGallery(t)

	t.Run("sign-up", func(t *testing.T) {
		b := browser.profile(t)
		gallery.signUp(b, "vincent@example.com", "Vincent")
		// Back in the room that was asked for, under the name that was given.
		b.sees("Welcome home, Vincent.")
		gallery.checkCookies(b)

		b.click("Profile")
		b.arrives(gallery.origin + "/profile")
		b.sees("email_verified")
		b.open(gallery.origin + "/apis/get-current-user")
		var current struct {
			User struct{ Username, UserID string }
		}
		if err := json.Unmarshal([]byte(b.text()), &current); err != nil || current.User.Username == "" || current.User.UserID == "" {
			t.Errorf("/apis/get-current-user: %+v, error %v", current, err)
		}

		b.open(gallery.origin)
		b.sees("Hello, Vincent.")
		b.click("Sign out")
		b.arrives(gallery.origin + "/sign-in")
		b.sees("Come in.")
		gallery.checkSignedOut(b)
		b.open(gallery.origin + "/home")
		b.arrives(gallery.origin + "/sign-in")
	})

	t.Run("without script", func(t *testing.T) {
		b := browser.profile(t).withoutScript()
		gallery.signUp(b, "paul@example.com", "Paul")
		b.sees("Welcome home, Paul.")
		gallery.checkCookies(b)
		b.click("Sign out")
		b.arrives(gallery.origin + "/sign-in")
		gallery.checkSignedOut(b)

		b.click("Sign in with Google")
		b.sees("Pretend Google")
		b.click("Be someone else")
		b.fill("Name", "Berthe Morisot")
		b.fill("Email address", "berthe@example.com")
		b.click("Continue as this person")
		b.sees("Welcome home, Berthe Morisot.")
	})

	t.Run("pretend Google", func(t *testing.T) {
		b := browser.profile(t)
		b.open(gallery.origin + "/sign-in")
		b.click("Sign in with Google")
		b.sees("This is not Google.")
		b.click("Ada Lovelace")
		b.arrives(gallery.origin + "/home")
		b.sees("Welcome home, Ada Lovelace.")
		b.sees("google_") // Cognito's usernames of people who come from Google
		gallery.checkCookies(b)
		b.click("Sign out")
		b.arrives(gallery.origin + "/sign-in")

		b.click("Sign in with Google")
		b.click("Cancel, as if access was refused")
		b.arrives(gallery.origin + "/sign-in")
		b.sees("You did not sign in.")
		b.open(gallery.origin + "/home")
		b.arrives(gallery.origin + "/sign-in")
	})

	t.Run("in French", func(t *testing.T) {
		b := browser.profile(t)
		b.open(gallery.origin + "/api/auth/sign-in?lang=fr")
		b.sees("Mot de passe oublié ?")
		var language string
		b.script(&language, `document.documentElement.lang`)
		if language != "fr" {
			t.Errorf("the language of the page is %q", language)
		}
		b.click("Créer un compte")
		b.sees("Vous avez déjà un compte ?")
		b.click("Se connecter")
		b.fill("Adresse e-mail", "bob@example.com")
		b.fill("Mot de passe", "wrong")
		b.click("Se connecter")
		b.sees("incorrect")
		b.fill("Mot de passe", gallery.seedPassword)
		b.click("Se connecter")
		b.sees("Welcome home, Bob.")
	})

	t.Run("a room for a group", func(t *testing.T) {
		for email, want := range map[string]string{
			"alice@example.com": "Not on display", "bob@example.com": "This room is for curators.",
		} {
			b := browser.profile(t)
			b.open(gallery.origin)
			b.click("Storeroom")
			b.arrives(gallery.origin + "/sign-in")
			b.click("Sign in")
			b.managedLogin(email, gallery.seedPassword)
			b.arrives(gallery.origin + "/storeroom")
			b.sees(want)
			b.click("Gallery") // the way back
			b.sees("Hello, ")
		}
	})

	t.Run("two people", func(t *testing.T) {
		alice, bob := browser.profile(t), browser.profile(t)
		for b, email := range map[*tab]string{alice: "alice@example.com", bob: "bob@example.com"} {
			b.open(gallery.origin + "/sign-in")
			b.click("Sign in")
			b.managedLogin(email, gallery.seedPassword)
		}
		for range 2 {
			alice.sees("Welcome home, Alice.")
			bob.sees("Welcome home, Bob.")
			alice.reload()
			bob.reload()
		}
		alice.click("Sign out")
		alice.sees("Come in.")
		bob.reload()
		bob.sees("Welcome home, Bob.")
	})
}

// gallery is the running example.
type gallery struct {
	origin, inbox, console, seedPassword string
}

// startGallery starts the example as somebody does in the root of the repository.
func startGallery(t testing.TB, flags ...string) *gallery {
	t.Helper()
	cmd := exec.Command(goProgram(t, "./examples/gallery"), append(flags, "-addr", "localhost:0")...)
	cmd.Dir = ".."
	p := startProcess(t, cmd)
	return &gallery{
		origin:       p.prints(`Gallery +(http://\S+)`),
		seedPassword: p.prints(`bob@example\.com +password (\S+)`),
		inbox:        p.prints(`Inbox +(http://\S+)`),
		console:      p.prints(`Console +(http://\S+)`),
	}
}

// signUp signs somebody up who wanted to see a protected room: with the code from the inbox, and
// back to that room.
func (g *gallery) signUp(b *tab, email, name string) {
	b.t.Helper()
	b.open(g.origin + "/home")
	b.arrives(g.origin + "/sign-in")
	b.click("Sign up")
	b.sees("Already have an account?")
	b.fill("Email address", email)
	b.fill("Name", name)
	b.fill("Password", password)
	b.fill("Repeat the password", password)
	b.click("Create account")
	b.sees("Confirm your account")
	b.fill("Code", g.code(b, email))
	b.click("Confirm account")
	b.arrives(g.origin + "/home")
}

// code looks into the inbox, in another tab, for the code that somebody was sent.
func (g *gallery) code(b *tab, email string) string {
	b.t.Helper()
	inbox := b.beside()
	inbox.open(g.inbox + "?" + url.Values{"to": {email}}.Encode())
	inbox.sees(email)
	return regexp.MustCompile(`\b\d{6}\b`).FindString(inbox.text())
}

// checkCookies checks what the application keeps in a signed-in browser.
func (g *gallery) checkCookies(b *tab) {
	b.t.Helper()
	kept := map[string]bool{}
	for name, c := range b.cookies() {
		if c.Domain != "localhost" {
			continue // the user pool's own, which lives elsewhere
		}
		kept[name[strings.LastIndex(name, ".")+1:]] = true
		if !c.HTTPOnly || c.SameSite != network.CookieSameSiteStrict || c.Path != "/" {
			b.t.Errorf("%s: HttpOnly %v, SameSite %s, Path %s", name, c.HTTPOnly, c.SameSite, c.Path)
		}
	}
	for _, key := range []string{"LastAuthUser", "accessToken", "idToken", "refreshToken"} {
		if !kept[key] {
			b.t.Errorf("no cookie %s", key)
		}
	}
	if len(kept) != 4 {
		b.t.Errorf("cookies %v: more than a session", kept)
	}
	var visible string
	b.script(&visible, `document.cookie`)
	if visible != "" {
		b.t.Error("a script can read cookies")
	}
}

// checkSignedOut checks that a sign-out has left nothing behind.
func (g *gallery) checkSignedOut(b *tab) {
	b.t.Helper()
	for name, c := range b.cookies() {
		if c.Domain == "localhost" {
			b.t.Errorf("cookie %s is left", name)
		}
	}
}
