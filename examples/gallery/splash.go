package main

import (
	"bytes"
	"context"
	_ "embed"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/sandbox"
	"github.com/amplify-go/amplify/storage"
)

// splash is the picture that is on display from the start.
//
//go:embed splash.jpg
var splash []byte

// hangSplash puts the splash on display, as an administrator of the bucket does it for a backend on
// AWS. It has no request and no user: the credentials come from elsewhere than Amplify Auth.
func (b *backend) hangSplash(ctx context.Context) error {
	config, err := amplify.ParseConfig(b.Outputs)
	if err != nil {
		return err
	}
	app, err := amplify.New(config, amplify.Options{})
	if err != nil {
		return err
	}
	defer app.Close(ctx)
	key, _ := b.sandbox.StorageAdmin()
	_, err = amplify.RunWithServerContext(ctx, app, amplify.Providers{Credentials: administrator(key)},
		func(ctx context.Context) (*storage.UploadDataOutput, error) {
			return storage.UploadData(ctx, storage.UploadDataInput{
				Path: storage.Path(public + "/Sunflowers.jpg"),
				Body: bytes.NewReader(splash),
			})
		})
	return err
}

// administrator is the key of somebody who may do everything in S3.
type administrator sandbox.StorageKey

// Credentials implements [amplify.CredentialsProvider].
func (a administrator) Credentials(context.Context, amplify.CredentialsInput) (*amplify.Credentials, error) {
	return &amplify.Credentials{
		AccessKeyID:     a.AccessKeyID,
		SecretAccessKey: amplify.NewSecret(a.SecretAccessKey),
	}, nil
}
