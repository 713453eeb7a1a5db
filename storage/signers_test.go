package storage_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/amplify-go/amplify/storage"
)

// sign returns the signature of a request by the signer of c.
func sign(t testing.TB, s *storage.Signers, c aws.Credentials, at time.Time) string {
	t.Helper()
	address, err := s.Presign(c, http.MethodGet, "https://drive.s3.eu-west-1.amazonaws.com/a?X-Amz-Expires=60", "UNSIGNED-PAYLOAD", "eu-west-1", at)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// TestSigningKeysAreNotShared: what one pair of access key and secret signs with, no other does,
// also if the access key is the same.
func TestSigningKeysAreNotShared(t *testing.T) {
	at := time.Date(2024, 5, 17, 12, 0, 0, 0, time.UTC)
	signers := storage.NewSigners(func() time.Time { return at })
	for range 2 {
		for _, c := range []aws.Credentials{
			{AccessKeyID: "A", SecretAccessKey: "one"}, {AccessKeyID: "A", SecretAccessKey: "two"},
			{AccessKeyID: "Ao", SecretAccessKey: "ne"}, {AccessKeyID: "B", SecretAccessKey: "one"},
		} {
			got := sign(t, signers, c, at)
			want, err := secrets{c.AccessKeyID: c.SecretAccessKey}.presigned(http.MethodGet, got)
			if err != nil || got != want {
				t.Errorf("%s signs\n%s, which is not\n%s, %v", c.AccessKeyID, got, want, err)
			}
		}
	}
}

// TestSignersAtOnce asks for signers from many goroutines.
func TestSignersAtOnce(t *testing.T) {
	at := time.Date(2024, 5, 17, 23, 59, 59, 0, time.UTC)
	signers := storage.NewSigners(func() time.Time { return at })
	var all sync.WaitGroup
	for i := range 16 {
		c := aws.Credentials{AccessKeyID: fmt.Sprint(i % 4), SecretAccessKey: fmt.Sprint("secret", i%4)}
		all.Go(func() {
			for j := range 20 {
				got := sign(t, signers, c, at.Add(time.Duration(j)*time.Second)) // two days
				if want, err := (secrets{c.AccessKeyID: c.SecretAccessKey}).presigned(http.MethodGet, got); err != nil || got != want {
					t.Errorf("%s, want %s, %v", got, want, err)
				}
			}
		})
	}
	all.Wait()
}
