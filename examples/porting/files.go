package porting

import (
	"context"
	"path"

	"github.com/amplify-go/amplify/storage"
)

// publish moves the pictures among the user's drafts to where all can read them. ctx is that of a
// request.
func publish(ctx context.Context) error {
	drafts, err := storage.List(ctx, storage.ListInput{Path: storage.Path("drafts/")})
	if err != nil {
		return err
	}
	for _, item := range drafts.Items {
		file := item.ObjectPath()
		properties, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: file})
		if err != nil {
			return err
		}
		if properties.ContentType != "image/png" {
			continue
		}
		_, err = storage.Copy(ctx, storage.CopyInput{
			Source: storage.CopySource{Path: file},
			Destination: storage.CopyDestination{
				Path: storage.Path("public/" + path.Base(item.Path)),
			},
		})
		if err != nil {
			return err
		}
		if _, err := storage.Remove(ctx, storage.RemoveInput{Path: file}); err != nil {
			return err
		}
	}
	return nil
}
