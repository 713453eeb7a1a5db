package e2e

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// The example application where Amplify JS signs people in from its own form.
func TestGalleryBrowserManner(t *testing.T) {
	npmProject(t, "../examples/gallery/web") // installed by the set-up, not by a test
	gallery := startGallery(t, "-sign-in=browser")

	t.Run("sign-up", func(t *testing.T) {
		b := browser.profile(t)
		b.open(gallery.origin + "/profile")
		b.arrives(gallery.origin + "/sign-in")
		b.click("Sign up")
		b.sees("Have an account?") // the other form has an e-mail address, too
		b.fill("Email address", "berthe@example.com")
		b.fill("Name", "Berthe")
		b.fill("Password", "weakling")
		b.click("Create account")
		b.sees("Password did not conform with policy")
		b.fill("Password", password)
		b.click("Create account")
		b.sees("Confirm your account")

		code := gallery.code(b, "berthe@example.com")
		b.fill("Code", otherCode(code))
		b.click("Confirm account")
		b.sees("Invalid verification code")
		b.fill("Code", code)
		b.click("Confirm account")
		// In at once, and in the room that was asked for.
		b.arrives(gallery.origin + "/profile")
		b.sees("email_verified")
		gallery.checkScriptCookies(b)

		b.click("Sign out")
		b.sees("You are in, Berthe.")
		b.click("Sign out")
		b.sees("Come in.")
		gallery.checkSignedOut(b)
	})

	t.Run("sign-in", func(t *testing.T) {
		b := browser.profile(t)
		b.open(gallery.origin)
		b.sees("Hello, stranger.")
		b.click("Sign in")
		b.fill("Email address", "alice@example.com")
		b.fill("Password", password)
		b.click("Sign in")
		b.sees("Incorrect username or password.")
		b.fill("Password", gallery.seedPassword)
		b.click("Sign in")
		b.sees("Welcome home, Alice.")
		gallery.checkScriptCookies(b)
		b.open(gallery.origin + "/apis/get-current-user")
		if name := decodeCookie(t, b.cookie("LastAuthUser")); !strings.Contains(b.text(), `"username":"`+name+`"`) {
			t.Errorf("/apis/get-current-user does not name %s: %s", name, b.text())
		}
		b.open(gallery.origin)
		b.sees("Hello, Alice.")
		b.click("Sign out")
		b.sees("You are in, Alice.")
		b.click("Sign out")
		b.sees("Come in.")
		gallery.checkSignedOut(b)
		b.open(gallery.origin + "/home")
		b.arrives(gallery.origin + "/sign-in")
	})

	t.Run("sign-up finished later", func(t *testing.T) {
		b := browser.profile(t)
		b.open(gallery.origin + "/sign-in#sign-up")
		b.fill("Email address", "mary@example.com")
		b.fill("Name", "Mary")
		b.fill("Password", password)
		b.click("Create account")
		b.sees("Confirm your account")

		b.open(gallery.origin + "/sign-in")
		b.reload() // the address differed in its fragment alone
		b.fill("Email address", "mary@example.com")
		b.fill("Password", password)
		b.click("Sign in")
		b.sees("Confirm your account")
		b.click("Send another code")
		b.sees("Another code is on its way.")
		b.fill("Code", gallery.code(b, "mary@example.com"))
		b.click("Confirm account")
		b.sees("Your account is confirmed.")
		b.fill("Password", password)
		b.click("Sign in")
		b.sees("Welcome home, Mary.")
	})

	// What a link to the page asks for leads nowhere else, and to no script.
	t.Run("destinations", func(t *testing.T) {
		for _, to := range []string{`/\example.com`, "javascript:document.body.innerText='run'", "http://"} {
			b := browser.profile(t)
			b.open(gallery.origin + "/sign-in?return_to=" + url.QueryEscape(to))
			gallery.fillSignIn(b, "bob@example.com")
			b.arrives(gallery.origin + "/home")
			b.sees("Welcome home, Bob.")
		}
	})

	// Amplify JS signs nobody in as long as it finds tokens, also those that the server refuses.
	t.Run("over a broken session", func(t *testing.T) {
		b := browser.profile(t)
		gallery.signIn(b, "bob@example.com")
		b.sees("Welcome home, Bob.")
		b.script(nil, `(() => {
			const [name, token] = document.cookie.split('; ').find(c => c.split('=')[0].endsWith('.accessToken')).split('=');
			document.cookie = name + '=' + token.slice(0, token.lastIndexOf('.') + 1) + 'AAAA; path=/; secure';
		})()`)
		gallery.signIn(b, "alice@example.com")
		b.sees("Welcome home, Alice.")
	})

	// Cookies know no ports. What the other mode leaves can neither be seen nor overwritten by a
	// script.
	t.Run("over a session of the other mode", func(t *testing.T) {
		b := browser.profile(t)
		other := startGallery(t)
		b.open(other.origin + "/api/auth/sign-in")
		b.managedLogin("bob@example.com", other.seedPassword)
		b.sees("Welcome home, Bob.")
		gallery.signIn(b, "alice@example.com")
		b.sees("Welcome home, Alice.")
	})

	t.Run("without script", func(t *testing.T) {
		b := browser.profile(t).withoutScript()
		b.open(gallery.origin + "/sign-in")
		b.sees("This page needs JavaScript.")
	})
}

// signIn signs in one of those who are there from the start.
func (g *gallery) signIn(b *tab, email string) {
	b.t.Helper()
	b.open(g.origin + "/sign-in")
	g.fillSignIn(b, email)
}

func (g *gallery) fillSignIn(b *tab, email string) {
	b.t.Helper()
	b.fill("Email address", email)
	b.fill("Password", g.seedPassword)
	b.click("Sign in")
}

// checkScriptCookies checks what Amplify JS keeps in a signed-in browser.
func (g *gallery) checkScriptCookies(b *tab) {
	b.t.Helper()
	for _, key := range []string{"LastAuthUser", "accessToken", "idToken", "refreshToken"} {
		if b.cookie(key) == "" {
			b.t.Errorf("no cookie %s", key)
		}
	}
	for name, c := range b.cookies() {
		if strings.HasPrefix(name, "CognitoIdentityServiceProvider.") && (c.HTTPOnly || !c.Secure || c.SameSite != network.CookieSameSiteLax) {
			b.t.Errorf("%s: HttpOnly %v, Secure %v, SameSite %s", name, c.HTTPOnly, c.Secure, c.SameSite)
		}
	}
}
