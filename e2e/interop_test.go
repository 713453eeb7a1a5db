//go:build interop

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/sandbox"
)

// The tests of this file repeat others with other npm packages: `make interop` runs them.

// otherVersions returns a directory with the npm packages of js/versions/version, and with files of
// js under the names that they have there.
func otherVersions(t testing.TB, version string, files map[string]string) string {
	t.Helper()
	packages := npmProject(t, filepath.Join("js", "versions", version))
	dir := filepath.Join(packages, "program")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for name, source := range files {
		source, name = filepath.Join("js", source), filepath.Join(dir, name)
		info, err := os.Stat(source)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			err = os.CopyFS(name, os.DirFS(source))
		} else if err = os.MkdirAll(dir, 0o755); err == nil {
			err = os.WriteFile(name, readFile(t, source), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join("..", "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestInteropNext16(t *testing.T) {
	// Next.js 16 calls middleware proxy, and runs it in Node.js.
	next := otherVersions(t, "next-16", map[string]string{
		"app": "next/app", "lib": "next/lib", "proxy.js": "next/middleware.js",
		"package.json": "versions/next-16/package.json",
	})
	t.Run("shared sessions", func(t *testing.T) { testSharedSessions(t, next) })
	t.Run("expired sessions", func(t *testing.T) { testExpiredSessions(t, next) })
}

func TestInteropAmplify60(t *testing.T) {
	library := library{dir: otherVersions(t, "amplify-6.0", map[string]string{
		"call.js": "amplify/call.js", "page.js": "amplify/page.js",
	})}
	// Node.js cannot import the ES modules of this version: they are made for bundlers.
	t.Run("user pool", func(t *testing.T) {
		spa := startSPA(t, library, sandbox.Config{})
		useUserPool(t, spa.backend, func(t testing.TB) *jsModule { return spa.open(browser.profile(t)) })
	})
	t.Run("in a page", func(t *testing.T) { testInPage(t, library) })
	t.Run("usernames", func(t *testing.T) { testUsernames(t, library, usernames...) })
	t.Run("aliases", func(t *testing.T) { testAliases(t, library) })
}

func TestInteropCognitoIdentityJS(t *testing.T) {
	library := library{dir: otherVersions(t, "cognito-identity-js", map[string]string{
		"call.js": "versions/cognito-identity-js/call.js", "page.js": "amplify/page.js",
	})}
	t.Run("in a page", func(t *testing.T) { testInPage(t, library) })
	t.Run("usernames", func(t *testing.T) { testUsernames(t, library, usernames...) })
	t.Run("aliases", func(t *testing.T) { testAliases(t, library) })
}

func TestInteropAmplify5(t *testing.T) {
	library := library{dir: otherVersions(t, "amplify-5", map[string]string{
		"call.js": "versions/amplify-5/call.js", "page.js": "amplify/page.js",
	}), copies: true}
	t.Run("in a page", func(t *testing.T) { testInPage(t, library) })
	t.Run("usernames", func(t *testing.T) { testUsernames(t, library, "ada", "O'Brien+x", "x.accessToken") })

	// It does not encode names of cookies, and throws where they would have to be encoded.
	t.Run("usernames that it refuses", func(t *testing.T) {
		spa := startSPA(t, library, usersByName(t))
		for _, name := range []string{"a@b.com", "user(1)", "50%25;=,x", "Zoë-山田-😀"} {
			spa.backend.addUser(t, sandbox.User{Username: name, Email: "somebody@example.com"})
			b := browser.profile(t)
			js := spa.open(b)
			js.fails("TypeError", "signIn", map[string]any{"username": name, "password": password})
			if got := b.whoami(); got.Reason != string(amplify.ReasonNoSession) {
				t.Errorf("%s: the server: %+v", name, got)
			}
		}
	})

	// For this user it writes the cookies that others write for 50%. The server takes them for
	// those of another user, and lets nobody in.
	t.Run("a username that looks encoded", func(t *testing.T) {
		const name = "50%25"
		spa := startSPA(t, library, usersByName(t))
		spa.backend.addUser(t, sandbox.User{Username: name, Email: "somebody@example.com"})
		b := browser.profile(t)
		signIn(spa.open(b), name, password)
		if got := b.whoami(); got.Reason != string(amplify.ReasonIncompleteSession) {
			t.Errorf("the server: %+v", got)
		}
	})
}
