"""What several scores share: features of images, distances of features, and how real and made images are compared."""

from ganlab.home import weights_folder
from ganlab.scores.classes import class_card, class_scores
from ganlab.scores.comparing import (
    Sampling,
    asked_labels,
    frechet_scores,
    kernel_scores,
    made_images,
    neighbour_scores,
    protocol_card,
    real_images,
    sampling_card,
)
from ganlab.scores.extractors import FeatureExtractor, RandomFeatures, exact_arithmetic
from ganlab.scores.features import features_of, tell_progress, told_of_features, told_of_progress
from ganlab.scores.frechet import covariance_root, frechet_distance, frechet_distance_of_features, with_root
from ganlab.scores.images import check_pixels, digest_of, in_colour
from ganlab.scores.kernel import BlockedDistance, disjoint_kernel_distance, kernel_distance, subset_kernel_distance
from ganlab.scores.moments import Moments, RunningMoments, moments_of
from ganlab.scores.neighbours import Neighbours, compare_neighbours, nearest_distances
from ganlab.scores.reference import (
    Statistics,
    halves,
    real_features,
    real_statistics,
    reference_key,
    references_folder,
)
from ganlab.scores.resize import resized
from ganlab.scores.uncertainty import Interval, interval

__all__ = [
    "BlockedDistance",
    "FeatureExtractor",
    "Interval",
    "Moments",
    "Neighbours",
    "RandomFeatures",
    "RunningMoments",
    "Sampling",
    "Statistics",
    "asked_labels",
    "check_pixels",
    "class_card",
    "class_scores",
    "compare_neighbours",
    "covariance_root",
    "digest_of",
    "disjoint_kernel_distance",
    "exact_arithmetic",
    "features_of",
    "frechet_distance",
    "frechet_distance_of_features",
    "frechet_scores",
    "halves",
    "in_colour",
    "interval",
    "kernel_distance",
    "kernel_scores",
    "made_images",
    "moments_of",
    "nearest_distances",
    "neighbour_scores",
    "protocol_card",
    "real_features",
    "real_images",
    "real_statistics",
    "reference_key",
    "references_folder",
    "resized",
    "sampling_card",
    "subset_kernel_distance",
    "tell_progress",
    "told_of_features",
    "told_of_progress",
    "weights_folder",
    "with_root",
]
