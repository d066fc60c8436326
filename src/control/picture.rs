//! The board as a PNG, drawn when somebody looks and shared by all who look at the same moment.

use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Pictures;

/// How long a picture of an unchanged board is good: the clock and the ticker move without a new view.
const FRESH: Duration = Duration::from_millis(500);
/// A drawing that takes longer is given up; the viewer asks again.
const DRAW_TIMEOUT: Duration = Duration::from_secs(3);

/// One picture and what it shows.
struct Picture {
    png: Bytes,
    revision: u64,
    drawn: Instant,
}

/// Holds the latest picture. Its lock is held while one is drawn, so that all who wait get the same.
#[derive(Default)]
pub struct PictureCache(Mutex<Option<Picture>>);

impl PictureCache {
    /// The PNG of `revision`, at most 500 ms old.
    pub async fn get(&self, revision: u64, pictures: &dyn Pictures) -> Option<Bytes> {
        let mut held = self.0.lock().await;
        if let Some(picture) = held.as_ref().filter(|p| p.revision >= revision && p.drawn.elapsed() < FRESH) {
            return Some(picture.png.clone());
        }
        let drawn = Instant::now();
        let png: Bytes = tokio::time::timeout(DRAW_TIMEOUT, pictures.snapshot()).await.ok()??.into();
        *held = Some(Picture { png: png.clone(), revision, drawn });
        Some(png)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    use futures_util::future::BoxFuture;

    use super::*;

    #[derive(Default)]
    struct Counting(Arc<AtomicU8>);

    impl Pictures for Counting {
        fn snapshot(&self) -> BoxFuture<'static, Option<Vec<u8>>> {
            let drawn = Arc::clone(&self.0);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some(vec![drawn.fetch_add(1, Ordering::Relaxed) + 1])
            })
        }
    }

    struct Stuck;

    impl Pictures for Stuck {
        fn snapshot(&self) -> BoxFuture<'static, Option<Vec<u8>>> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_viewers_share_one_drawing_and_a_change_or_half_a_second_makes_a_new_one() {
        let (cache, pictures) = (PictureCache::default(), Counting::default());
        let many = (0..50).map(|_| cache.get(1, &pictures));
        for picture in futures_util::future::join_all(many).await {
            assert_eq!(picture.unwrap().as_ref(), [1]);
        }
        assert_eq!(cache.get(2, &pictures).await.unwrap().as_ref(), [2], "the board has changed");
        assert_eq!(cache.get(1, &pictures).await.unwrap().as_ref(), [2], "never back in time");
        tokio::time::advance(FRESH).await;
        assert_eq!(cache.get(2, &pictures).await.unwrap().as_ref(), [3], "the clock has moved");
    }

    #[tokio::test(start_paused = true)]
    async fn a_painter_that_hangs_costs_three_seconds_and_no_more() {
        assert!(PictureCache::default().get(1, &Stuck).await.is_none());
    }
}
