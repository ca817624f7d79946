"""Writes the files of this folder, and checks with a second program that each holds what README.md says.

Run in an empty folder with numpy, pillow, tifffile, imagecodecs and rasterio.
"""
import numpy as np
import rasterio
import rasterio.shutil
import tifffile
from PIL import Image, ImageOps
from rasterio.transform import from_origin

# Heights of row r and column c: 100 + 10 r + 1.5 c.
ROWS, COLUMNS = 5, 7
r, c = np.mgrid[0:ROWS, 0:COLUMNS]
heights = (100 + 10 * r + 1.5 * c).astype("f4")
PLACE = from_origin(500000, 4100000, 30, 30)


def write(name, bands, **profile):
    bands = np.atleast_3d(bands) if bands.ndim == 3 else bands[None]
    count, height, width = bands.shape
    with rasterio.open(name, "w", driver="GTiff", count=count, height=height, width=width, dtype=bands.dtype, **profile) as file:
        file.write(bands)


def same(name, expected):
    """tifffile reads what rasterio (GDAL) wrote."""
    found = tifffile.imread(name)
    assert found.dtype == expected.dtype and np.array_equal(found, expected, equal_nan=True), name


with_holes = heights.copy()
with_holes[0, 0] = with_holes[3, 4] = -9999
write("f32_deflate.tif", with_holes, compress="deflate", predictor=3, nodata=-9999, transform=PLACE, crs="EPSG:32611")
same("f32_deflate.tif", with_holes)

y, x = np.mgrid[0:40, 0:20]
tiles = (100 * y - 7 * x).astype("i2")
tiles[39, 19] = -32768
write("i16_tiles.tif", tiles, compress="lzw", predictor=2, nodata=-32768, tiled=True, blockxsize=16, blockysize=16)
same("i16_tiles.tif", tiles)

tifffile.imwrite("u16_big_endian.tif", (1000 * r + c).astype(">u2"), byteorder=">")
with rasterio.open("u16_big_endian.tif") as file:
    assert np.array_equal(file.read(1), 1000 * r + c)

with_nan = heights.astype("f8")
with_nan[4, 6] = np.nan
write("f64_nan.tif", with_nan, nodata=np.nan)
same("f64_nan.tif", with_nan)

bands = np.stack([heights, heights * 1000, -heights])
write("three_bands_planar.tif", bands, interleave="band")
same("three_bands_planar.tif", bands)
write("two_bands_pixel.tif", (bands[:2] / 10).astype("u2"), interleave="pixel")

write("zstd.tif", heights, compress="zstd")

picture = np.stack([40 * r, 30 * c, 250 - 20 * r], -1).astype("u1")
Image.fromarray(picture).save("rgb.tif")
Image.fromarray(picture).save("rgb.webp", lossless=True)
Image.fromarray(picture).save("rgb.bmp")
Image.fromarray((20 * r + 7 * c).astype("u1")).save("grey.tif", compression="packbits")
turned = Image.Exif()
turned[0x0112] = 6
Image.fromarray(picture).save("turned.tif", exif=turned)
indexed = Image.fromarray(((r + c) % 3).astype("u1"), "P")
indexed.putpalette([255, 0, 0, 0, 128, 0, 0, 0, 51])
indexed.save("palette.tif")
big = np.kron(picture, np.ones((16, 16, 1))).astype("u1")
Image.fromarray(big).save("turned.jpg", exif=turned, quality=95, subsampling=0)
write("jpeg_ycbcr.tif", np.moveaxis(big, -1, 0), compress="jpeg", photometric="ycbcr", jpeg_quality=95)
for name, place in [("turned.jpg", (8, 8)), ("turned.jpg", (72, 104)), ("jpeg_ycbcr.tif", (104, 8))]:
    shown = ImageOps.exif_transpose(Image.open(name))
    print(name, shown.size, place, shown.getpixel(place))

rasterio.shutil.copy("f32_deflate.tif", "by_gdal.asc", driver="AAIGrid")

np.savez("one.npz", heights=heights)
np.savez_compressed("two.npz", heights=heights, halves=heights.astype("f2"))
records = np.array([("a", 1, 2.5, 10.0), ("b", 2, 3.5, 30.0), ("c", 4, 4.5, -5.0)],
                   dtype=np.dtype([("name", "U3"), ("shape", "<i2"), ("t", ">f8"), ("load", "<f4")], align=True))
np.save("records.npy", records)
for name in ["one.npz", "two.npz", "records.npy"]:
    print(name, np.load(name))
print(np.__version__, rasterio.__version__, rasterio.__gdal_version__, tifffile.__version__, Image.__version__)
