package sandbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/amplify-go/amplify/sandbox"
)

// childDir tells a process of this test binary to be a sandbox that keeps its data there.
const childDir = "SANDBOX_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child runs a sandbox until its standard input ends.
func child(dir string) error {
	s, err := sandbox.Start(context.Background(), sandbox.Config{
		DataDir: dir, Logger: slog.New(slog.DiscardHandler),
		// With a grace period a refresh whose answer got lost is no loss.
		Clients: []sandbox.Client{{RotateRefreshTokens: true, RotationGrace: time.Minute,
			AuthFlows: []string{allowPassword}}},
		StorageAdmin: true,
		Data:         sandbox.Data{Schema: noteSchema},
	})
	if err != nil {
		return err
	}
	fmt.Println(s.URL())
	fmt.Println(string(s.Outputs()))
	key, _ := s.StorageAdmin()
	if err := json.NewEncoder(os.Stdout).Encode(key); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// process is a sandbox in a process of its own.
type process struct {
	*exec.Cmd
	*cognito.Client
	pool, client string
	storage      *backend // for S3 alone
	admin        storageKey
}

func startProcess(t *testing.T, dir string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait() // those that were killed have been waited for
	})
	out := bufio.NewReader(stdout)
	url, err := out.ReadString('\n')
	if err != nil {
		t.Fatalf("the sandbox did not start: %v", err)
	}
	p := &process{Cmd: cmd, Client: cognito.New(cognito.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url[:len(url)-1]), Retryer: aws.NopRetryer{},
		HTTPClient: wholeAnswers{http.DefaultClient},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
	})}
	var o outputs
	var key sandbox.StorageKey
	dec := json.NewDecoder(out)
	if err := errors.Join(dec.Decode(&o), dec.Decode(&key)); err != nil {
		t.Fatal(err)
	}
	p.pool, p.client = o.Auth.PoolID, o.Auth.ClientID
	p.storage, p.admin = &backend{outputs: o}, storageKey{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey}
	return p
}

// acknowledged is what the sandbox has confirmed about one user.
type acknowledged struct {
	name    string
	exists  bool
	refresh *string
}

// write makes a user, signs in and refreshes, and notes what was confirmed. It ends with the first
// error: then the process has been killed.
func (p *process) write(ctx context.Context, a *acknowledged, confirmed func()) error {
	if _, err := p.AdminCreateUser(ctx, &cognito.AdminCreateUserInput{UserPoolId: &p.pool, Username: &a.name}); err != nil {
		return err
	}
	confirmed()
	_, err := p.AdminSetUserPassword(ctx, &cognito.AdminSetUserPasswordInput{UserPoolId: &p.pool, Username: &a.name, Password: aws.String(password), Permanent: true})
	if err != nil {
		return err
	}
	a.exists = true
	confirmed()
	in, err := p.signIn(ctx, a.name)
	if err != nil {
		return err
	}
	a.refresh = in.AuthenticationResult.RefreshToken
	confirmed()
	return p.goOn(ctx, a)
}

// signIn signs a user in by password, in one call.
func (p *process) signIn(ctx context.Context, name string) (*cognito.InitiateAuthOutput, error) {
	return p.InitiateAuth(ctx, &cognito.InitiateAuthInput{
		ClientId: &p.client, AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": name, "PASSWORD": password}})
}

func (p *process) goOn(ctx context.Context, a *acknowledged) error {
	out, err := p.GetTokensFromRefreshToken(ctx, &cognito.GetTokensFromRefreshTokenInput{ClientId: &p.client, RefreshToken: a.refresh})
	if err == nil {
		a.refresh = out.AuthenticationResult.RefreshToken
	}
	return err
}

// TestKill kills sandboxes in the middle of writes: whatever they have confirmed is there
// afterwards.
func TestKill(t *testing.T) {
	const rounds, writers = 4, 4
	dir, ctx := t.TempDir(), t.Context()
	var all []*acknowledged
	for round := range rounds {
		p := startProcess(t, dir)
		check(t, p, all)

		var count atomic.Int64
		killAt := int64(7 + 12*round) // in the middle of the round's writes, at another step each time
		confirmed := func() {
			if count.Add(1) == killAt {
				if err := p.Process.Kill(); err != nil { // SIGKILL
					t.Error(err)
				}
			}
		}
		var wg sync.WaitGroup
		lists := make([][]*acknowledged, writers)
		for w := range writers {
			wg.Go(func() {
				for i := 0; ; i++ {
					a := &acknowledged{name: fmt.Sprintf("user-%d-%d-%d@example.com", round, w, i)}
					lists[w] = append(lists[w], a)
					if p.write(ctx, a, confirmed) != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		_ = p.Wait()
		for _, l := range lists {
			all = append(all, l...)
		}
	}
	check(t, startProcess(t, dir), all)
	if len(all) < rounds*writers {
		t.Errorf("only %d users were written", len(all))
	}
}

// check fails the test unless all that was confirmed is there.
func check(t *testing.T, p *process, all []*acknowledged) {
	t.Helper()
	for _, a := range all {
		if a.exists {
			if _, err := p.signIn(t.Context(), a.name); err != nil {
				t.Errorf("user %s is lost: %v", a.name, err)
			}
		}
		if a.refresh != nil {
			if err := p.goOn(t.Context(), a); err != nil {
				t.Errorf("the session of %s is lost: %v", a.name, err)
			}
		}
	}
}
