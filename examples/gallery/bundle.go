package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// bundleAmplifyJS makes one script of web/amplifyjs.js and of all that it imports. npm fetches
// Amplify JS the first time; nothing of it is kept in this repository.
func bundleAmplifyJS(ctx context.Context, out io.Writer) ([]byte, error) {
	web, lock, err := findWeb()
	if err != nil {
		return nil, err
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return nil, errors.New("-sign-in=browser needs npm, which fetches and bundles Amplify JS: install Node.js 20 or later, or start with -sign-in=server")
	}
	// The stamp, which scripts/setup.sh leaves as well, says which packages are installed.
	sum := sha256.Sum256(lock)
	want := hex.EncodeToString(sum[:])
	stamp := filepath.Join(web, "node_modules", ".installed")
	if installed, _ := os.ReadFile(stamp); strings.TrimSpace(string(installed)) != want {
		fmt.Fprintf(out, "\n  Fetching Amplify JS (npm ci in %s). This takes a minute, the first time only ...\n", web)
		if _, err := npm(ctx, web, "ci"); err != nil {
			return nil, err
		}
		if err := os.WriteFile(stamp, []byte(want+"\n"), 0o644); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(out, "\n  Bundling Amplify JS (npm run build in %s) ...\n", web)
	return npm(ctx, web, "run", "--silent", "build")
}

// findWeb returns the directory web of this program and its lock file, from the directory of the
// repository in which the program was started.
func findWeb() (web string, lock []byte, err error) {
	for _, web := range []string{"examples/gallery/web", "web"} {
		if lock, err := os.ReadFile(filepath.Join(web, "package-lock.json")); err == nil {
			return web, lock, nil
		}
	}
	return "", nil, errors.New("-sign-in=browser bundles scripts from the directory examples/gallery/web, which is not here: start the gallery in the root of its repository")
}

// npm runs npm in a directory and returns what it prints.
func npm(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "npm", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	printed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("npm %s in %s: %w\n%s", strings.Join(args, " "), dir, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return printed, nil
}
