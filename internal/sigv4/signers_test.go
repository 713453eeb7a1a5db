package sigv4

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestSignersLeave: a signer lives as long as its credentials, and there are so many and no more.
func TestSignersLeave(t *testing.T) {
	now := time.Date(2024, 5, 17, 12, 0, 0, 0, time.UTC)
	signers := New(func() time.Time { return now })
	with := func(id int, life time.Duration) aws.Credentials {
		return aws.Credentials{AccessKeyID: fmt.Sprint(id), SecretAccessKey: "s", CanExpire: life != 0, Expires: now.Add(life)}
	}
	short := signers.Of(with(1, time.Hour))
	if signers.Of(with(1, time.Hour)) != short {
		t.Error("the signer of the same credentials is another one")
	}
	signers.Of(with(2, 2*time.Hour))
	signers.Of(with(3, 0))
	now = now.Add(time.Hour)
	signers.Of(with(4, time.Hour))
	if n := len(signers.known); n != 2 { // 2 and 4
		t.Errorf("%d signers after an hour", n)
	}
	for i := range maxSigners + 100 {
		signers.Of(with(10+i, time.Hour))
	}
	if n := len(signers.known); n != maxSigners {
		t.Errorf("%d signers", n)
	}
}

// TestSignersOfSecrets: each pair of access key and secret has its own signer.
func TestSignersOfSecrets(t *testing.T) {
	signers := New(time.Now)
	seen := map[*Signer]bool{}
	for _, c := range []aws.Credentials{
		{AccessKeyID: "A", SecretAccessKey: "one"}, {AccessKeyID: "A", SecretAccessKey: "two"},
		{AccessKeyID: "Ao", SecretAccessKey: "ne"}, {AccessKeyID: "B", SecretAccessKey: "one"},
	} {
		seen[signers.Of(c)] = true
		if signers.Of(c) != signers.Of(c) {
			t.Errorf("%s/%s has two signers", c.AccessKeyID, c.SecretAccessKey)
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d signers of 4 pairs", len(seen))
	}
}

// TestKey derives the key of AWS's documentation: AWS General Reference, "Examples of how to derive
// a signing key for Signature Version 4".
func TestKey(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	signer := New(time.Now).Of(aws.Credentials{AccessKeyID: "A", SecretAccessKey: secret})
	want, _ := hex.DecodeString("c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9")
	for range 2 {
		if got := signer.Key(secret, "20150830/us-east-1/iam/aws4_request"); !bytes.Equal(got, want) {
			t.Errorf("got %x", got)
		}
	}
	if got := signer.Key(secret, "20150831/us-east-1/iam/aws4_request"); bytes.Equal(got, want) {
		t.Error("another day has the same key")
	}
}
