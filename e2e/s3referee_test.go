package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amplify-go/amplify/sandbox"
)

// TestS3Referee lets the test client of another S3 server judge the sandbox's: all cases of
// s3/cases.txt pass. The first run builds the client, which takes a minute or two.
//
// A case that fails can leave its bucket behind, and so make others fail: look at the first one.
func TestS3Referee(t *testing.T) {
	b := startBackend(t, sandbox.Config{DataDir: t.TempDir(), StorageAdmin: true})
	key, _ := b.StorageAdmin()
	cases, err := filepath.Abs("s3/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(cases), "referee.sh"), b.URL(), key.AccessKeyID, key.SecretAccessKey, cases)
	cmd.Env = append(os.Environ(), "S3REF_TOOLS="+filepath.Join(filepath.Dir(cases), ".tools"))
	var failed strings.Builder
	progress := &lineWriter{line: func(line string) {
		t.Log(line)
		if strings.HasPrefix(line, "FAIL ") {
			failed.WriteString(line + "\n")
		}
	}}
	cmd.Stdout, cmd.Stderr = progress, progress
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		t.Errorf("these cases failed:\n%s", &failed)
	} else if err != nil {
		t.Errorf("the referee did not get to its verdict: %v", err)
	}
}

// lineWriter calls line with each line that is written.
type lineWriter struct {
	line func(string)
	rest string
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest += string(p)
	for {
		line, rest, found := strings.Cut(w.rest, "\n")
		if !found {
			return len(p), nil
		}
		w.line(line)
		w.rest = rest
	}
}
