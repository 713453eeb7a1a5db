package storage_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/storage"
)

// BenchmarkGetURL makes presigned URLs as one user and as many in turn, and beside them the same
// URLs by the PresignClient of the SDK, which is made once, as its documentation has it.
func BenchmarkGetURL(b *testing.B) {
	token := strings.Repeat("token/of+session", 80) // 1,280 bytes, as Cognito's are
	for name, users := range map[string]int{"one user": 1, "1000 users": 1000} {
		app, err := amplify.New(config(), amplify.Options{})
		if err != nil {
			b.Fatal(err)
		}
		var all []*amplify.Credentials
		for range users {
			all = append(all, &amplify.Credentials{
				AccessKeyID: "ASIA" + strings.Repeat("A", 12) + string(rune('a'+len(all)%26)) + string(rune('a'+len(all)/26)), IdentityID: "eu-west-1:1",
				SecretAccessKey: amplify.NewSecret("secret"), SessionToken: amplify.NewSecret(token), Expires: time.Now().Add(time.Hour),
			})
		}
		var contexts []context.Context
		for _, c := range all {
			ctx, done := amplify.WithServerContext(b.Context(), app, amplify.Providers{
				Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return c, nil }),
			})
			b.Cleanup(done)
			contexts = append(contexts, ctx)
		}
		client := s3.NewPresignClient(s3.New(s3.Options{
			Region: "eu-west-1", RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
			ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		}))
		ours, plain := 0, 0 // calls
		getURL := func() {
			ctx := contexts[ours%users]
			ours++
			if _, err := storage.GetURL(ctx, storage.GetURLInput{Path: storage.Path("photos/2024/a b.png")}); err != nil {
				b.Fatal(err)
			}
		}
		presign := func() {
			c := all[plain%users]
			plain++
			_, err := client.PresignGetObject(b.Context(), &s3.GetObjectInput{Bucket: aws.String("drive"), Key: aws.String("photos/2024/a b.png")},
				s3.WithPresignExpires(15*time.Minute), func(o *s3.PresignOptions) {
					o.ClientOptions = append(o.ClientOptions, func(o *s3.Options) {
						o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
							return aws.Credentials{
								AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), SessionToken: c.SessionToken.Reveal(),
							}, nil
						})
					})
				})
			if err != nil {
				b.Fatal(err)
			}
		}
		for way, call := range map[string]func(){"GetURL": getURL, "PresignClient": presign} {
			b.Run(name+"/"+way, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					call()
				}
			})
		}
		b.Run(name+"/beside", func(b *testing.B) { beside(b, getURL, presign) })
	}
}
