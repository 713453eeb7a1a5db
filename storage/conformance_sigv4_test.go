package storage_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"

	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/storage"
)

var sigV4Rules = []conformance.Rule{{
	Name: "characters that are left as they are",
	Reason: "of a path that is escaped twice, the original does not escape ! ' ( ) and * again. AWS does: " +
		"IAM User Guide, \"Create a signed AWS API request\"",
	Match: func(c conformance.Case) bool {
		u, err := url.Parse(text(c.In("request", "url")))
		return err == nil && c.In("options", "uriEscapePath") == nil && strings.ContainsAny(u.EscapedPath(), "!'()*")
	},
	Instead: func(c conformance.Case) conformance.Case {
		member := func(path ...string) string { return text(c.In(path...)) }
		u, err := url.Parse(member("request", "url"))
		if err != nil {
			panic(err)
		}
		u.Path = u.EscapedPath()
		u.RawPath = httpbinding.EscapePath(u.Path, false)
		fields := regexp.MustCompile(`Credential=(.*), SignedHeaders=(.*), Signature=(.*)`).
			FindStringSubmatch(text(c.Want("value", "headers", "authorization")))
		headers := ""
		for name := range strings.SplitSeq(fields[2], ";") {
			headers += name + ":" + text(c.Want("value", "headers", name)) + "\n"
		}
		keys := secrets{member("credentials", "accessKeyId"): member("credentials", "secretAccessKey")}
		hash, err := payloadHash(nil)
		if err != nil {
			panic(err)
		}
		signature, err := keys.sign(member("request", "method"), u, fields[1], text(c.Want("value", "headers", "x-amz-date")), headers, fields[2], hash)
		if err != nil {
			panic(err)
		}
		return c.Expect("AWS4-HMAC-SHA256 "+strings.Replace(fields[0], fields[3], signature, 1), "value", "headers", "authorization")
	},
}}

// TestConformanceSigV4 signs by the signers of this package what is for S3, and by the SDK's
// signer, which they stand on, what is for services whose paths are escaped twice.
func TestConformanceSigV4(t *testing.T) {
	conformance.Run(t, "sigv4.json", sigV4Rules, func(t *testing.T, c conformance.Case) error {
		var in struct {
			Kind    string `json:"kind"`
			Request struct {
				Method  string            `json:"method"`
				URL     string            `json:"url"`
				Headers map[string]string `json:"headers"`
				Body    json.RawMessage   `json:"body"`
			} `json:"request"`
			Options struct {
				Credentials   string    `json:"credentials"` // by name
				SigningDate   time.Time `json:"signingDate"`
				Region        string    `json:"signingRegion"`
				Service       string    `json:"signingService"`
				URIEscapePath *bool     `json:"uriEscapePath"`
				Expiration    int       `json:"expiration"`
			} `json:"options"`
			Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string } `json:"credentials"`
		}
		if err := conformance.Decode(c.Input, &in); err != nil {
			return err
		}
		credentials := aws.Credentials{
			AccessKeyID: in.Credentials.AccessKeyID, SecretAccessKey: in.Credentials.SecretAccessKey, SessionToken: in.Credentials.SessionToken,
		}
		signers := storage.NewSigners(func() time.Time { return in.Options.SigningDate })
		signer := v4.NewSigner()
		if escape := in.Options.URIEscapePath; escape != nil && !*escape {
			signer = signers.Of(credentials).Signer
		}
		u, err := url.Parse(in.Request.URL)
		if err != nil {
			return err
		}
		r := &http.Request{Method: in.Request.Method, URL: u, Host: u.Host, Header: http.Header{}}
		for name, value := range in.Request.Headers {
			r.Header.Set(name, value)
		}
		hash, err := payloadHash(in.Request.Body)
		if err != nil {
			return err
		}
		if in.Kind == "presignUrl" {
			if in.Options.Service != "s3" {
				return errors.New("a URL of another service")
			}
			if in.Options.Expiration > 0 {
				u.RawQuery = strings.TrimPrefix(u.RawQuery+fmt.Sprintf("&X-Amz-Expires=%d", in.Options.Expiration), "&")
			}
			signed, err := signers.Presign(credentials, in.Request.Method, u.String(), hash, in.Options.Region, in.Options.SigningDate)
			if err != nil {
				return err
			}
			var want struct{ Value string }
			if err := conformance.Decode(c.Expected, &want); err != nil {
				return err
			}
			return same("the address", addressOf(signed), addressOf(want.Value))
		}
		if err := signer.SignHTTP(context.Background(), credentials, r, hash, in.Options.Service, in.Options.Region, in.Options.SigningDate); err != nil {
			return err
		}
		var want struct {
			Value struct {
				URL     string
				Headers map[string]string
			}
		}
		if err := conformance.Decode(c.Expected, &want); err != nil {
			return err
		}
		got := map[string]string{"host": r.Host}
		for name := range r.Header {
			got[strings.ToLower(name)] = r.Header.Get(name)
		}
		wanted := map[string]string{}
		for name, value := range want.Value.Headers {
			wanted[strings.ToLower(name)] = value
		}
		if address, err := url.Parse(want.Value.URL); err != nil || want.Value.URL != in.Request.URL && regexp.MustCompile(`:443$`).ReplaceAllString(u.Host, "") != address.Host {
			return errors.New("the recorded address is another one than that of the request")
		}
		if !maps.Equal(got, wanted) {
			return same("the headers", got, wanted)
		}
		return nil
	})
}

// payloadHash returns the hash of a recorded body, which is a text or {"$bytes": n}.
func payloadHash(raw json.RawMessage) (string, error) {
	var body []byte
	var text string
	if raw != nil && json.Unmarshal(raw, &text) != nil {
		var bytes struct {
			N int `json:"$bytes"`
		}
		if err := conformance.Decode(raw, &bytes); err != nil {
			return "", err
		}
		for i := range bytes.N {
			body = append(body, byte(i%251))
		}
	} else {
		body = []byte(text)
	}
	if text == "UNSIGNED-PAYLOAD" {
		return text, nil
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}
