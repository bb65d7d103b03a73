//! The body of a response, piece by piece.

use crate::connection::ReadAllowance;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The body of a response. Each delivered piece allows its connection to read more.
#[derive(Debug)]
pub struct ResponseBody {
    body: Incoming,
    allowance: ReadAllowance,
}

impl ResponseBody {
    pub(crate) const fn new(body: Incoming, allowance: ReadAllowance) -> Self {
        Self { body, allowance }
    }

    /// Returns whether its length was declared, so that its end can be missed.
    #[must_use]
    pub fn has_declared_length(&self) -> bool {
        self.body.size_hint().exact().is_some()
    }

    /// Returns the next piece; `None` at the end.
    ///
    /// # Errors
    /// Returns why the body broke off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, hyper::Error> {
        next_chunk(self).await
    }
}

/// Returns the next piece of any body; `None` at the end.
pub(crate) async fn next_chunk<B: Body<Data = Bytes> + Unpin>(
    body: &mut B,
) -> Result<Option<Bytes>, B::Error> {
    loop {
        match std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            // Trailers say nothing about the body.
            Some(frame) => {
                if let Ok(data) = frame?.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.allowance.renew();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
