package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/amplify-go/amplify/sandbox"
)

// begin sends the first half of a request, and returns what sends the rest and checks the status.
func (b *backend) begin(t *testing.T, key storageKey, s storageRequest) (finish func(want int)) {
	t.Helper()
	r := s.request(t, b.URL())
	sign(t, r, key, s.body, time.Now())
	body, in := io.Pipe()
	r.Body = body
	status := make(chan string, 1)
	go func() {
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			status <- err.Error()
			return
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		status <- fmt.Sprintf("%d %s", res.StatusCode, text)
	}()
	half := len(s.body) / 2
	if _, err := io.WriteString(in, s.body[:half]); err != nil {
		t.Fatal(err)
	}
	return func(want int) {
		t.Helper()
		_, _ = io.WriteString(in, s.body[half:])
		_ = in.Close()
		if got := <-status; !strings.HasPrefix(got, fmt.Sprint(want)) {
			t.Errorf("%s %s: %s, want %d", s.method, s.path, got, want)
		}
	}
}

// TestSlowCallersHoldNobodyUp: while some callers send slowly, or read slowly, others are served,
// and what is replaced or deleted in the meantime is still read to its end.
func TestSlowCallersHoldNobodyUp(t *testing.T) {
	for name, dir := range map[string]string{"in memory": "", "in files": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			b := startStorage(t, func(c *sandbox.Config) { c.DataDir = dir })
			id, key := b.storageKey(t, "bob@example.com")
			path := "/" + photos + "/private/" + id + "/"
			large := strings.Repeat("0123456789abcdef", 1<<20)
			send := func(method, path, body string, want int) {
				t.Helper()
				status, text := b.send(t, key, storageRequest{method: method, path: path,
					body: body})
				if status != want {
					t.Errorf("%s %s: %d %s", method, path, status, text)
				}
			}
			send("PUT", path+"large", large, 200)

			document := "<Delete><Object><Key>private/" + id + "/none</Key></Object></Delete>"
			finish := []func(int){
				b.begin(t, key, storageRequest{method: "PUT", path: path + "slow", body: large}),
				b.begin(t, key, storageRequest{method: "POST", path: "/" + photos,
					query: map[string][]string{"delete": {""}}, body: document,
					header: map[string]string{"Content-Md5": md5Of(document)}}),
			}
			slow, err := b.s3Client(key).GetObject(t.Context(), &s3.GetObjectInput{
				Bucket: aws.String(photos), Key: aws.String("private/" + id + "/large")})
			if err != nil {
				t.Fatal(err)
			}
			first := make([]byte, 1)
			if _, err := io.ReadFull(slow.Body, first); err != nil {
				t.Fatal(err)
			}

			send("PUT", path+"a", "content", 200)
			send("GET", path+"slow", "", 403) // half of it is not there
			send("PUT", path+"large", "small", 200)
			send("DELETE", path+"large", "", 204)
			b.storageKey(t, "ann@example.com") // signs in

			rest, err := io.ReadAll(slow.Body)
			if err != nil || string(first)+string(rest) != large {
				t.Errorf("the slow reader got %d bytes of %d, %v", 1+len(rest), len(large), err)
			}
			for _, f := range finish {
				f(200)
			}
			send("GET", path+"slow", "", 200)
		})
	}
}
