//! CRI's image service, as far as there are images: directories that containers
//! use as their root.

use std::collections::BTreeSet;

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use super::{Server, blocking, nanoseconds, unimplemented};
use crate::cri::image_service_server::ImageService;
use crate::cri::{
    FilesystemIdentifier, FilesystemUsage, Image, ImageFsInfoRequest,
    ImageFsInfoResponse, ImageSpec, ImageStatusRequest, ImageStatusResponse,
    ListImagesRequest, ListImagesResponse, PullImageRequest, PullImageResponse,
    RemoveImageRequest, RemoveImageResponse, StreamImagesRequest,
    StreamImagesResponse, UInt64Value,
};
use crate::image;
use crate::paths::Paths;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ImageService for Server {
    type StreamImagesStream = BoxStream<StreamImagesResponse>;

    /// Lists the directories that containers have as their root: nobody else
    /// knows of any.
    async fn list_images(
        &self,
        request: Request<ListImagesRequest>,
    ) -> Answer<ListImagesResponse> {
        let filter =
            request.into_inner().filter.and_then(|filter| filter.image);
        let wanted =
            filter.map(|image| image.image).filter(|name| !name.is_empty());
        let all = self.0.containers.all();
        let used: BTreeSet<_> =
            all.iter().map(|c| image::reference(&c.lock().config)).collect();
        let listed = used
            .into_iter()
            .filter(move |name| wanted.as_ref().is_none_or(|w| w == name));
        let images = blocking(move || {
            Ok(listed.filter_map(|name| describe(&name)).collect())
        })
        .await?;
        Ok(Response::new(ListImagesResponse { images }))
    }

    /// An image that is not there is no error in CRI: the answer is empty, and
    /// the kubelet pulls.
    async fn image_status(
        &self,
        request: Request<ImageStatusRequest>,
    ) -> Answer<ImageStatusResponse> {
        let name = request.into_inner().image.unwrap_or_default().image;
        let image = blocking(move || Ok(describe(&name))).await?;
        Ok(Response::new(ImageStatusResponse { image, ..Default::default() }))
    }

    async fn image_fs_info(
        &self,
        _: Request<ImageFsInfoRequest>,
    ) -> Answer<ImageFsInfoResponse> {
        let paths = self.0.paths.clone();
        let usage = blocking(move || Ok(root_usage(&paths))).await?;
        Ok(Response::new(ImageFsInfoResponse {
            image_filesystems: vec![usage.clone()],
            container_filesystems: vec![usage],
        }))
    }

    async fn stream_images(
        &self,
        _: Request<StreamImagesRequest>,
    ) -> Answer<Self::StreamImagesStream> {
        unimplemented("StreamImages")
    }

    async fn pull_image(
        &self,
        _: Request<PullImageRequest>,
    ) -> Answer<PullImageResponse> {
        unimplemented("PullImage")
    }

    async fn remove_image(
        &self,
        _: Request<RemoveImageRequest>,
    ) -> Answer<RemoveImageResponse> {
        unimplemented("RemoveImage")
    }
}

/// Describes `rootfs:/abs/path`; `None` if there is no such directory.
fn describe(reference: &str) -> Option<Image> {
    let rootfs = image::rootfs(reference).ok()?;
    Some(Image {
        id: reference.to_owned(),
        repo_tags: vec![reference.to_owned()],
        size: image::usage(&rootfs).bytes,
        spec: Some(ImageSpec {
            image: reference.to_owned(),
            ..Default::default()
        }),
        // It is not ours to remove.
        pinned: true,
        ..Default::default()
    })
}

/// Bundles, logs and records are all that conmand has on disk.
fn root_usage(paths: &Paths) -> FilesystemUsage {
    let usage = image::usage(&paths.root);
    FilesystemUsage {
        timestamp: nanoseconds(Some(jiff::Timestamp::now())),
        fs_id: Some(FilesystemIdentifier {
            mountpoint: paths.root.to_string_lossy().into_owned(),
        }),
        used_bytes: Some(UInt64Value { value: usage.bytes }),
        inodes_used: Some(UInt64Value { value: usage.inodes }),
    }
}
