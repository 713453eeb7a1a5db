package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/go-cmp/cmp"
)

// What a sandbox with --data has acknowledged is there after it was killed at any moment: users,
// passwords, refresh tokens, what was revoked, and the keys that tokens were signed by.
func TestSandboxSurvivesBeingKilled(t *testing.T) {
	const (
		rounds  = 5
		clients = 4
		// At most so many acknowledgements come before the kill.
		most = 40
	)
	path := goProgram(t, "./cmd/amplify-go")
	dir := t.TempDir()
	outputsFile := filepath.Join(t.TempDir(), "amplify_outputs.json")
	command := func() *exec.Cmd {
		return exec.Command(path, "sandbox", "--data", dir, "--port", "0", "--write-outputs", outputsFile)
	}
	start := func() (*process, *poolClient) {
		sandbox := startProcess(t, command())
		sandbox.prints(`(http://127\.0\.0\.1:\d+)`)
		return sandbox, newPoolClient(t, readFile(t, outputsFile))
	}

	// The first kill comes while the user pool is being made.
	first := startProcess(t, command())
	awaitFile(t, dir)
	first.kill()

	var (
		known ledger
		keys  map[string]string
	)
	for round := range rounds {
		sandbox, pool := start()
		known.check(t, pool)
		now := pool.keys(t)
		if keys != nil && !cmp.Equal(keys, now) {
			t.Errorf("round %d: other keys than before", round)
		}
		keys = now

		// The kill comes after a random number of acknowledgements, while calls are under way.
		ctx, cancel := context.WithCancel(t.Context())
		acknowledged := make(chan struct{})
		var wg sync.WaitGroup
		for client := range clients {
			wg.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					known.useOnce(ctx, pool, fmt.Sprintf("user-%d-%d-%d@example.com", round, client, n), acknowledged)
				}
			})
		}
		for range 1 + rand.IntN(most) {
			select {
			case <-acknowledged:
			case <-sandbox.ended:
				t.Fatal("the sandbox ended by itself")
			}
		}
		sandbox.kill()
		cancel()
		wg.Wait()
	}
	_, pool := start()
	known.check(t, pool)
	t.Logf("%d kills; %d users, %d sessions, %d revoked sessions were still there", rounds, len(known.users), len(known.refreshTokens), len(known.revoked))
}

// awaitFile waits until there is a file in dir.
func awaitFile(t testing.TB, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) > 0 {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("%s is still empty after %v", dir, patience)
		}
	}
}

// ledger is what a user pool has acknowledged.
type ledger struct {
	mu            sync.Mutex
	signedUp      []string
	users         []string
	accessTokens  []string
	refreshTokens []string
	revoked       []string // refresh tokens
}

// useOnce signs up a user, confirms and signs in, and notes each step once the pool has
// acknowledged it. It stops at the first call that fails: the sandbox has been killed.
func (l *ledger) useOnce(ctx context.Context, pool *poolClient, username string, acknowledged chan<- struct{}) {
	note := func(list *[]string, entry string) {
		l.mu.Lock()
		*list = append(*list, entry)
		l.mu.Unlock()
		select {
		case acknowledged <- struct{}{}:
		case <-ctx.Done():
		}
	}
	if pool.signUp(ctx, username) != nil {
		return
	}
	note(&l.signedUp, username)
	if pool.confirm(ctx, username) != nil {
		return
	}
	note(&l.users, username)
	for _, revoke := range []bool{false, true} {
		session, err := pool.signIn(ctx, username, password)
		if err != nil {
			return
		}
		if !revoke {
			note(&l.refreshTokens, aws.ToString(session.RefreshToken))
			note(&l.accessTokens, aws.ToString(session.AccessToken))
			continue
		}
		if pool.revoke(ctx, aws.ToString(session.RefreshToken)) == nil {
			note(&l.revoked, aws.ToString(session.RefreshToken))
		}
	}
}

// check proves that pool stands by everything in the ledger.
func (l *ledger) check(t *testing.T, pool *poolClient) {
	t.Helper()
	ctx := t.Context()
	for _, username := range l.signedUp {
		if err := pool.signUp(ctx, username); !isA[*types.UsernameExistsException](err) {
			t.Errorf("%s had signed up: %v", username, err)
		}
	}
	for _, username := range l.users {
		if _, err := pool.signIn(ctx, username, password); err != nil {
			t.Errorf("%s was confirmed: %v", username, err)
		}
	}
	for i, token := range l.refreshTokens {
		if _, err := pool.refresh(ctx, token); err != nil {
			t.Errorf("refresh token %d: %v", i, err)
		}
	}
	for i, token := range l.accessTokens {
		if _, err := pool.user(ctx, token); err != nil {
			t.Errorf("access token %d: %v", i, err)
		}
	}
	for i, token := range l.revoked {
		if _, err := pool.refresh(ctx, token); !isA[*types.NotAuthorizedException](err) {
			t.Errorf("refresh token %d was revoked: %v", i, err)
		}
	}
}

// keys returns the public keys by their ids.
func (p *poolClient) keys(t testing.TB) map[string]string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.endpoint+"/"+p.poolID+"/.well-known/jwks.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []struct{ Kid, N string }
	}
	if err := json.Unmarshal(body, &set); err != nil || len(set.Keys) == 0 {
		t.Fatalf("no key set (%s): %v", response.Status, err)
	}
	keys := map[string]string{}
	for _, key := range set.Keys {
		keys[key.Kid] = key.N
	}
	return keys
}
