package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	modulePath = "github.com/amplify-go/amplify"
	toolPath   = modulePath + "/cmd/amplify-go"
	released   = "v0.99.0" // what the tests release; nothing else has such a version
)

// TestRelease makes a release of a copy of this checkout, and takes it into use in each way that
// people have.
func TestRelease(t *testing.T) {
	repository := copyOfCheckout(t)
	const push = "git push --atomic origin main v0.99.0 sandbox/v0.99.0 cmd/amplify-go/v0.99.0 amplifylambda/v0.99.0\n"
	if said := repository.run(t, "scripts/release.sh", released); !strings.HasSuffix(said, push) {
		t.Errorf("the script does not say what to push:\n%s", said)
	}
	const tags = "amplifylambda/v0.99.0\ncmd/amplify-go/v0.99.0\nsandbox/v0.99.0\nv0.99.0\n"
	if got := repository.run(t, "git", "tag", "--points-at=main"); got != tags {
		t.Errorf("tags of main:\n%swant\n%s", got, tags)
	}

	user := place{env: modules(t, publish(t, repository))}
	const version = "amplify-go " + released + " go"

	t.Run("go install", func(t *testing.T) {
		bin := t.TempDir()
		user := user.in(t.TempDir()).with("GOBIN=" + bin)
		user.run(t, "go", "install", toolPath+"@"+released)
		for _, args := range [][]string{{"version"}, {"--help"}} {
			said := user.run(t, filepath.Join(bin, "amplify-go"), args...)
			if !strings.Contains(said, released) {
				t.Errorf("%s does not say %s:\n%s", args, released, said)
			}
		}
		firstHour(t, user, filepath.Join(bin, "amplify-go"))
	})

	t.Run("go run", func(t *testing.T) {
		said := user.in(t.TempDir()).run(t, "go", "run", toolPath+"@latest", "version")
		if !strings.Contains(said, version) {
			t.Errorf("prints %s", said)
		}
	})

	t.Run("go get -tool", func(t *testing.T) {
		bin := t.TempDir()
		user := user.in(t.TempDir()).with("GOBIN=" + bin)
		user.run(t, "go", "mod", "init", "example.com/app")
		user.run(t, "go", "get", "-tool", toolPath+"@latest")
		if tools := user.run(t, "go", "tool"); !strings.Contains(tools, "\n"+toolPath+"\n") {
			t.Errorf("go tool knows\n%s", tools)
		}
		// This is what "go tool amplify-go" runs. That command would compile every dependency again:
		// it has no -trimpath, and without that flag the build cache goes by directories.
		user.run(t, "go", "install", "tool")
		said := user.run(t, filepath.Join(bin, "amplify-go"), "version")
		if !strings.HasPrefix(said, version) {
			t.Errorf("prints %s", said)
		}
	})

	t.Run("go get", func(t *testing.T) {
		user := user.in(t.TempDir())
		file := filepath.Join(user.dir, "main.go")
		if err := os.WriteFile(file, []byte(application), 0o600); err != nil {
			t.Fatal(err)
		}
		user.run(t, "go", "mod", "init", "example.com/app")
		user.run(t, "go", "get", modulePath+"@"+released, modulePath+"/sandbox@"+released)
		said := user.run(t, "go", "run", ".")
		if !strings.Contains(said, "The user pool is us-east-1_") {
			t.Errorf("prints %s", said)
		}
	})

	// The release is not published. Those who go on developing must not notice.
	t.Run("development", func(t *testing.T) {
		repository.with("GOPROXY=off").run(t, "go", "list", "-deps", "work")
		repository.run(t, "scripts/tidy.sh")
		if changes := repository.run(t, "git", "status", "--porcelain"); changes != "" {
			t.Errorf("changed by tidy.sh:\n%s%s", changes, repository.run(t, "git", "diff"))
		}
	})
}

// application is a program that uses the library and the sandbox.
const application = `package main

import (
	"context"
	"fmt"
	"log"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/sandbox"
)

func main() {
	s, err := sandbox.Start(context.Background(), sandbox.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close(context.Background())
	cfg, err := amplify.ParseConfig(s.Outputs())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("The user pool is", cfg.Auth.UserPoolID)
}
`

// A release that is refused or fails leaves the repository as it was.
func TestReleaseRefused(t *testing.T) {
	checkout := copyOfCheckout(t)
	const kong = "github.com/alecthomas/kong"
	tests := map[string]struct{ version, before, want string }{
		"no version":        {"", "", `"" is not a version`},
		"not Go's spelling": {"0.99.0", "", `"0.99.0" is not a version`},
		"leading zero":      {"v0.099.0", "", `"v0.099.0" is not a version`},
		"another path":      {"v2.0.0", "", `"v2.0.0" is not a version`},
		"another branch":    {released, "git switch -q -c feature", `not on "feature"`},
		"uncommitted":       {released, "echo more >>README.md", "not committed"},
		"a file too many":   {released, "touch new", "not committed"},
		"older":             {released, "git tag v0.100.0", "older than v0.100.0"},
		"candidate, late":   {"v0.99.0-rc.1", "git tag v0.99.0", "older than v0.99.0"},
		"half released":     {released, "git tag sandbox/v0.99.0", "sandbox/v0.99.0 exists already"},
		"no entry":          {"v0.99.1", "", `CHANGELOG.md has no heading "## 0.99.1 -`},
		"replace line": {
			released,
			"cd sandbox && go mod edit -replace=example.com/a=../a && git commit -qam replace",
			"go install refuses modules with replace lines",
		},
		"does not build": {
			released,
			"cd cmd/amplify-go && go mod edit -droprequire=" + kong + " && git commit -qam kong",
			"no required module provides package " + kong,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			temporary := t.TempDir()
			repository := checkout.in(t.TempDir()).with("TMPDIR=" + temporary)
			repository.run(t, "git", "clone", "-q", checkout.dir, ".")
			repository.run(t, "sh", "-c", test.before)
			state := func() string {
				return repository.run(t, "git", "log", "--all", "--oneline") +
					repository.run(t, "git", "status", "--branch") +
					repository.run(t, "git", "tag") + repository.run(t, "git", "worktree", "list")
			}
			before := state()
			said, err := repository.try(t, "scripts/release.sh", test.version)
			if err == nil || !strings.Contains(said, test.want) {
				t.Errorf("%v, want a failure with %q:\n%s", err, test.want, said)
			}
			if after := state(); after != before {
				t.Errorf("the repository was\n%sand is\n%s", before, after)
			}
			if rest, err := os.ReadDir(temporary); err != nil || len(rest) != 0 {
				t.Errorf("temporary files are left: %v %v", rest, err)
			}
		})
	}
}

// place is where commands run: a directory, and variables of the environment beside the test's own.
type place struct {
	dir string
	env []string
}

func (p place) in(dir string) place { return place{dir, p.env} }

func (p place) with(env ...string) place {
	return place{p.dir, append(p.env[:len(p.env):len(p.env)], env...)}
}

// run returns what a command prints. The test ends if it fails.
func (p place) run(t testing.TB, name string, args ...string) string {
	t.Helper()
	said, err := p.try(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said)
	}
	return said
}

func (p place) try(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	if strings.HasPrefix(name, "scripts/") {
		name = filepath.Join(p.dir, name)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), p.env...)
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// copyOfCheckout returns a repository whose main branch is this checkout, committed or not, with
// a heading of the release in its CHANGELOG.
func copyOfCheckout(t testing.TB) place {
	t.Helper()
	checkout, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	repository := place{t.TempDir(), []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Alice", "GIT_AUTHOR_EMAIL=alice@example.com",
		"GIT_COMMITTER_NAME=Alice", "GIT_COMMITTER_EMAIL=alice@example.com",
	}}
	repository.run(t, "git", "init", "-q", "--initial-branch=main")
	repository.run(t, "git", "--work-tree="+checkout, "add", "--all")
	repository.run(t, "git", "checkout", "-q", ".")
	repository.run(t, "sh", "-c", "echo '## 0.99.0 - 2026-12-01' >>CHANGELOG.md")
	repository.run(t, "git", "commit", "-q", "-a", "-m", "The state of the checkout")
	return repository
}

// publish returns the directory of a module proxy with the modules that are tagged in a repository.
// The go command fills it, in the way it does for proxy.golang.org: its cache has the layout of a
// proxy (https://go.dev/ref/mod#module-cache).
func publish(t testing.TB, repository place) string {
	t.Helper()
	cache := t.TempDir()
	place{t.TempDir(), []string{
		"GOMODCACHE=" + cache, "GOFLAGS=-modcacherw", "GOPROXY=direct", "GOSUMDB=off", "GOWORK=off",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://" + repository.dir + ".insteadOf",
		"GIT_CONFIG_VALUE_0=https://" + modulePath,
	}}.run(t, "go", "mod", "download",
		modulePath+"@"+released, modulePath+"/sandbox@"+released, toolPath+"@"+released)
	return filepath.Join(cache, "cache", "download")
}

// modules returns an environment in which the go command takes our modules from a proxy of files,
// and others from the cache of the machine's user. That cache stays as it is: it must not remember a
// version that only this test has seen.
func modules(t testing.TB, proxy string) []string {
	t.Helper()
	here := place{dir: "."}
	cache := strings.TrimSpace(here.run(t, "go", "env", "GOMODCACHE"))
	configured := strings.TrimSpace(here.run(t, "go", "env", "GOPROXY"))
	return []string{
		"GOMODCACHE=" + t.TempDir(), "GOFLAGS=-modcacherw -trimpath",
		"GOSUMDB=off", "GONOPROXY=none", "GOWORK=off",
		"GOPROXY=file://" + proxy + ",file://" + cache + "/cache/download," + configured,
	}
}
