package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/storage"
)

// depot is a drive of ada's whose sandbox is a process of its own, with objects on disk.
type depot struct {
	*visitors // of a Go server in the process of the test
	t         *testing.T
	dir       string // data and settings of the sandbox
	program   string // amplify-go
	server    string // e2e/transfer
	sandbox   *process

	admin *s3.Client // may see the uploads that are under way
	ada   *s3.Client
	own   string // prefix of ada's objects
}

func startDepot(t *testing.T) *depot {
	t.Helper()
	d := &depot{
		t: t, dir: t.TempDir(),
		program: goProgram(t, "./cmd/amplify-go"), server: goProgram(t, "./e2e/transfer"),
	}
	d.writes("outputs.json", []byte(driveOutputs))
	users := fmt.Sprintf(`[{"email": %q, "password": %q}]`, ada, password)
	d.writes("users.json", []byte(users))
	d.start()
	return d
}

func (d *depot) file(name string) string { return filepath.Join(d.dir, name) }

func (d *depot) writes(name string, content []byte) {
	d.t.Helper()
	if err := os.WriteFile(d.file(name), content, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// start starts the sandbox, which may have been killed before, and signs ada in.
func (d *depot) start() {
	t := d.t
	t.Helper()
	d.sandbox = startProcess(t, exec.Command(d.program, "sandbox", "--data", d.file("data"),
		"--port", "0", "--storage-admin", "--outputs", d.file("outputs.json"),
		"--users", d.file("users.json"), "--write-outputs", d.file("written.json")))
	var key sandbox.StorageKey
	text := d.sandbox.prints(`Storage key +(\{.*\})`)
	if err := json.Unmarshal([]byte(text), &key); err != nil {
		t.Fatal(err)
	}
	url := d.sandbox.prints(`Address +(\S+)`)
	d.admin = newS3Client(url, aws.Credentials{
		AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey,
	})

	outputs := readFile(t, d.file("written.json"))
	tokens, err := newPoolClient(t, outputs).signIn(t.Context(), ada, password)
	if err != nil {
		t.Fatal(err)
	}
	d.visitors = newVisitors(t, outputs, amplify.Options{})
	d.signIn(t, ada, *tokens.AccessToken, *tokens.IdToken)
	d.as(t, ada, func(ctx context.Context) {
		session, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
		if err != nil {
			t.Fatal(err)
		}
		d.ada = newS3Client(url, session.AWSCredentials())
		d.own = "private/" + session.IdentityID + "/"
	})
}

// removeAll removes ada's objects.
func (d *depot) removeAll() {
	d.t.Helper()
	d.as(d.t, ada, func(ctx context.Context) {
		if _, err := storage.Remove(ctx, storage.RemoveInput{Path: private("")}); err != nil {
			d.t.Error(err)
		}
	})
}

// newS3Client returns the AWS SDK's client for the S3 of a sandbox.
func newS3Client(url string, credentials aws.Credentials) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &url, UsePathStyle: true, Retryer: aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
	})
}

// underWay returns the keys of the uploads that are under way, by their ids.
func underWay(t testing.TB, admin *s3.Client) map[string]string {
	t.Helper()
	list, err := admin.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{
		Bucket: aws.String(driveBucket),
	})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for _, u := range list.Uploads {
		keys[*u.UploadId] = *u.Key
	}
	return keys
}

// transferServer is the server of e2e/transfer, for the users of a depot.
type transferServer struct {
	*process
	t       *testing.T
	url     string
	cookies []*http.Cookie // of ada
}

// serve starts a server. It does not outlive the test.
func (d *depot) serve() *transferServer {
	d.t.Helper()
	cmd := exec.Command(d.server)
	cmd.Env = append(os.Environ(), "AMPLIFY_OUTPUTS="+d.file("written.json"))
	s := &transferServer{process: startProcess(d.t, cmd), t: d.t, cookies: d.cookies[ada]}
	s.url = s.prints(`(http://\S+)`)
	return s
}

// request makes a request of ada's for a file. change, which may be nil, changes it before.
func (s *transferServer) request(
	ctx context.Context, method, name string, body io.Reader, change func(*http.Request),
) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.url+"/"+name, body)
	if err != nil {
		return nil, err
	}
	for _, c := range s.cookies {
		r.AddCookie(c)
	}
	if change != nil {
		change(r)
	}
	return http.DefaultClient.Do(r)
}

// put uploads a body that has to arrive.
func (s *transferServer) put(name string, body io.Reader) error {
	answer, err := s.request(s.t.Context(), http.MethodPut, name, body, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("PUT %s: %s %s", name, answer.Status, text)
	}
	return err
}

// sum returns the SHA-256 of a file, which it downloads.
func (s *transferServer) sum(name string) (sum [sha256.Size]byte, err error) {
	answer, err := s.request(s.t.Context(), http.MethodGet, name, nil, nil)
	if err != nil {
		return sum, err
	}
	defer answer.Body.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, answer.Body); err != nil {
		return sum, err
	}
	if answer.StatusCode != http.StatusOK {
		return sum, fmt.Errorf("GET %s: %s", name, answer.Status)
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

// content is a stream of bytes of which no two parts are the same. It costs no more than a copy.
type content struct {
	block []byte
	at    int // in block
	count uint64
}

// newContent returns size bytes, the same for the same seed.
func newContent(t testing.TB, seed byte, size int64) io.Reader {
	return io.LimitReader(&content{block: randomBytes(t, seed, 64<<10)}, size)
}

func (c *content) Read(p []byte) (int, error) {
	if c.at == 0 {
		binary.LittleEndian.PutUint64(c.block, c.count)
		c.count++
	}
	n := copy(p, c.block[c.at:])
	c.at = (c.at + n) % len(c.block)
	return n, nil
}
